using SharpCompress.Common;
using ZstdSharp;

namespace Slipway.Volumes.Import;

/// <summary>What a file is packed with, told by its first bytes, and how it is unpacked.</summary>
internal static class Packing
{
    /// <summary>How many of a file's first bytes decide.</summary>
    public const int MarkBytes = 6;

    public static bool IsPacked(ReadOnlySpan<byte> start) => IsGzip(start) || IsXz(start) || IsZstd(start);

    /// <summary>Unpacks a stream to its end; for what is damaged or cut short see <see cref="IsDamage"/>.</summary>
    public static Stream Open(Stream packed, ReadOnlySpan<byte> start) =>
        IsGzip(start) ? new GzipContent(packed)
        : IsXz(start) ? new XzContent(packed)
        : new DecompressionStream(packed, bufferSize: 1 << 20);

    /// <summary>What the libraries throw for a stream that is damaged.</summary>
    public static bool IsDamage(Exception e) => e is InvalidDataException or EndOfStreamException or ZstdException or SharpCompressException;

    private static bool IsGzip(ReadOnlySpan<byte> start) => start.StartsWith((ReadOnlySpan<byte>)[0x1f, 0x8b, 8]);

    private static bool IsXz(ReadOnlySpan<byte> start) => start.StartsWith((ReadOnlySpan<byte>)[0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0]);

    private static bool IsZstd(ReadOnlySpan<byte> start) => start.StartsWith((ReadOnlySpan<byte>)[0x28, 0xb5, 0x2f, 0xfd]);
}
