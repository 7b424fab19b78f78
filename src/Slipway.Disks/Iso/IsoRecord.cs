using System.Buffers.Binary;
using System.Text;

namespace Slipway.Disks.Iso;

internal enum IsoNaming
{
    Plain,
    Joliet,
    RockRidge,
}

/// <summary>A directory record (ECMA-119 §9.1), and what is known of volume descriptors (§8).</summary>
internal readonly struct IsoRecord
{
    public const int Primary = 1, Supplementary = 2, Terminator = 255, RootInDescriptor = 156;
    private const int Fixed = 33, DirectoryFlag = 2, MoreFlag = 0x80;
    private readonly ReadOnlyMemory<byte> _bytes;

    private IsoRecord(ReadOnlyMemory<byte> bytes, long at) => (_bytes, At) = (bytes, at);

    /// <summary>Where it lies, in bytes from the volume's start.</summary>
    public long At { get; }

    public int RecordLength => _bytes.Length;

    /// <summary>Where the content begins, behind an extended attribute record if there is one.</summary>
    public long Place => (BinaryPrimitives.ReadUInt32LittleEndian(_bytes.Span[2..]) + (long)_bytes.Span[1]) * IsoVolume.SectorSize;

    public long Length => BinaryPrimitives.ReadUInt32LittleEndian(_bytes.Span[10..]);

    public bool IsDirectory => (_bytes.Span[25] & DirectoryFlag) != 0;

    /// <summary>The content goes on where the next record says.</summary>
    public bool HasMore => (_bytes.Span[25] & MoreFlag) != 0;

    /// <summary>The directory itself is called by a zero byte, its parent by a one (§9.1.11).</summary>
    public bool IsSelfOrParent => NameLength == 1 && _bytes.Span[Fixed] <= 1;

    private int NameLength => _bytes.Span[32];

    /// <exception cref="DiskFormatException">There is no whole record.</exception>
    public static IsoRecord Parse(ReadOnlyMemory<byte> bytes, long at)
    {
        var length = bytes.Length == 0 ? 0 : bytes.Span[0];
        if (length < Fixed + 1 || length > bytes.Length || Fixed + bytes.Span[32] > length)
            throw new DiskFormatException($"iso9660: the directory record at {at} is damaged");
        return new(bytes[..length], at);
    }

    public static bool IsDescriptor(ReadOnlySpan<byte> sector) => sector[1..].StartsWith("CD001"u8);

    public static int BlockSizeOf(ReadOnlySpan<byte> descriptor) => BinaryPrimitives.ReadUInt16LittleEndian(descriptor[128..]);

    /// <summary>UCS-2 of level 1, 2 or 3, by its escape sequence.</summary>
    public static bool IsJoliet(ReadOnlySpan<byte> descriptor) => descriptor[88] == '%' && descriptor[89] == '/' && descriptor[90] is (byte)'@' or (byte)'C' or (byte)'E';

    public string Name(IsoNaming naming)
    {
        var bytes = _bytes.Span.Slice(Fixed, NameLength);
        var name = naming == IsoNaming.Joliet ? Encoding.BigEndianUnicode.GetString(bytes) : Encoding.Latin1.GetString(bytes);
        var version = name.IndexOf(';', StringComparison.Ordinal);
        if (version > 0) name = name[..version];
        // As Linux shows them: without the dot of an empty extension, in lower case.
        return naming == IsoNaming.Joliet ? name : name.TrimEnd('.').ToLowerInvariant();
    }

    /// <summary>What follows the name, from an even place on; <paramref name="skip"/> bytes of it are somebody else's.</summary>
    public ReadOnlyMemory<byte> SystemUse(int skip)
    {
        var start = Fixed + NameLength + (NameLength % 2 == 0 ? 1 : 0) + skip;
        return start < _bytes.Length ? _bytes[start..] : default;
    }
}
