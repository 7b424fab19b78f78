using System.Buffers.Binary;
using System.Text;
using Slipway.Disks;
using Slipway.Volumes.Qcow2.Files;
using Slipway.Volumes.Qcow2.Writing;

namespace Slipway.Volumes.Qcow2.Headers;

/// <summary>
/// The first 512 bytes of an image, with the header, its extensions and the backing file's name: what lies in them changes
/// all at once or not at all, whenever the power goes.
/// </summary>
internal static class Qcow2FirstSector
{
    public const int Bytes = 512;

    /// <summary>Lets an image that is open nowhere stand on another one, or on none; what it shows must be the same with both.</summary>
    /// <param name="backing">Relative to the image's own folder; null for none.</param>
    /// <exception cref="DiskFormatException">The header has no room for it.</exception>
    public static async ValueTask ChangeBackingAsync(IImageFile file, string? backing, string? format, CancellationToken cancellation)
    {
        var header = await Qcow2Header.ReadAsync(file, cancellation);
        Qcow2Device.RequireWritable(header);
        var old = new byte[header.ClusterSize];
        await file.ReadAsync(0, old, cancellation);
        var journal = header.JournalAt == 0 ? [] : old.AsSpan(header.JournalAt, Qcow2Journal.ExtensionBytes);
        var changed = Make(old, header.Length, journal, Encoding.UTF8.GetBytes(backing ?? ""), Encoding.UTF8.GetBytes(format ?? ""))
            ?? throw new DiskFormatException("qcow2: the image's header has no room for the name of another backing file");
        // What it showed of the old one has to be its own by now.
        await file.FlushAsync(cancellation);
        await file.WriteAsync(0, changed, cancellation);
        await file.FlushAsync(cancellation);
    }

    /// <summary>The sector with these in it; null where they have no room.</summary>
    /// <param name="old">The header's cluster.</param>
    /// <param name="journal">The data of the extension of <see cref="Qcow2Journal"/>; empty for an image without one.</param>
    /// <param name="backing">The backing file's name; empty for none.</param>
    public static byte[]? Make(ReadOnlySpan<byte> old, int headerLength, ReadOnlySpan<byte> journal, ReadOnlySpan<byte> backing, ReadOnlySpan<byte> format)
    {
        if (headerLength > Bytes) return null;
        var sector = new byte[Bytes];
        old[..headerLength].CopyTo(sector);
        var at = headerLength;
        if (!TryPut(Qcow2Journal.Extension, journal) || !TryPut(Qcow2Extensions.BackingFormat, format)) return null;
        foreach (var (type, range) in new Qcow2Extensions(old, headerLength).All())
        {
            // QEMU writes its names of features anew whenever it likes; bitmaps count only with an autoclear bit, which a writer here clears.
            if (type is Qcow2Extensions.FeatureNames or Qcow2Extensions.Bitmaps or Qcow2Extensions.BackingFormat or Qcow2Journal.Extension) continue;
            if (!TryPut(type, old[range])) return null;
        }
        // The mark of the extensions' end, eight zero bytes, and the name.
        at += 8;
        if (at + backing.Length > Bytes) return null;
        backing.CopyTo(sector.AsSpan(at));
        BinaryPrimitives.WriteInt64BigEndian(sector.AsSpan(8), backing.IsEmpty ? 0 : at);
        BinaryPrimitives.WriteInt32BigEndian(sector.AsSpan(16), backing.Length);
        return sector;

        bool TryPut(uint type, ReadOnlySpan<byte> data)
        {
            if (data.IsEmpty) return true;
            if (at + 8 + (data.Length + 7) / 8 * 8 > Bytes) return false;
            at = Qcow2Extensions.Put(sector, at, type, data);
            return true;
        }
    }
}
