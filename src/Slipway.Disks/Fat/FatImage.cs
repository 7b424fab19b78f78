namespace Slipway.Disks.Fat;

/// <summary>
/// What a fresh FAT volume is to hold, and the writer for it. Every file lies in one piece; dates are fixed, so that the
/// same content gives the same bytes.
/// </summary>
public sealed class FatImage
{
    private readonly FatNode _root = new("", null);

    /// <summary>Up to eleven characters of ASCII.</summary>
    public string Label { get; init; } = "SLIPWAY";

    /// <summary>The volume's serial number; part of the content, not drawn at random.</summary>
    public uint VolumeId { get; init; } = 0x5117_9A75;

    /// <summary>16 or 32; 0 takes FAT16 up to 64 MiB, FAT32 above.</summary>
    public int Bits { get; init; }

    /// <summary>Bytes of all the files added.</summary>
    public long ContentLength { get; private set; }

    /// <summary>Adds a file, and the directories on the way to it (<c>EFI/BOOT/BOOTX64.EFI</c>).</summary>
    public void Add(string path, ReadOnlyMemory<byte> content)
    {
        var names = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (names.Length == 0) throw new ArgumentException("a file needs a name", nameof(path));
        var directory = _root;
        foreach (var name in names[..^1]) directory = directory.Directory(name);
        directory.Add(new(names[^1], content));
        ContentLength += content.Length;
    }

    /// <summary>Writes the volume over a region, which must read as zeroes where nothing is written (a fresh disk).</summary>
    public async ValueTask WriteAsync(DiskRegion region, int sectorSize = 512, CancellationToken cancellation = default)
    {
        var layout = FatLayout.Choose(region, sectorSize, Bits);
        var writer = new FatWriter(region, layout);
        await writer.WriteAsync(_root, Label, VolumeId, cancellation);
    }
}
