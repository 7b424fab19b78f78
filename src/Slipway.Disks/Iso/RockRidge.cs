using System.Buffers.Binary;
using System.Text;

namespace Slipway.Disks.Iso;

/// <summary>
/// What Rock Ridge (RRIP 1.12) says of a file in its record's system use area, and in the areas that this one names
/// (SUSP 1.12): entries of a two-letter signature, a length, a version, and data.
/// </summary>
/// <param name="Name">Null where the plain name is all there is.</param>
/// <param name="Link">A symbolic link's target.</param>
/// <param name="MovedTo">The block of a directory that lies elsewhere than it should.</param>
/// <param name="IsRelocated">It is such a directory, seen where it lies: not to be shown.</param>
/// <param name="IsSpecial">A device, pipe or socket.</param>
internal sealed record RockRidge(string? Name, string? Link, uint? MovedTo, bool IsRelocated, bool IsSpecial)
{
    private const int MostAreas = 32, MostText = 4096;
    private const int Continues = 1, Current = 2, Parent = 4, FromRoot = 8;

    /// <summary>How many bytes of each area are not for the protocol; null where a volume does not use it.</summary>
    public static int? SkipOf(ReadOnlySpan<byte> rootArea) => rootArea.Length >= 7 && rootArea[..6].SequenceEqual((ReadOnlySpan<byte>)[(byte)'S', (byte)'P', 7, 1, 0xBE, 0xEF]) ? rootArea[6] : null;

    public static async ValueTask<RockRidge> ReadAsync(DiskRegion region, ReadOnlyMemory<byte> area, CancellationToken cancellation)
    {
        var found = new Entries();
        for (var areas = 0; area.Length > 0; areas++)
        {
            if (areas == MostAreas) throw new DiskFormatException($"iso9660: a record is continued more than {MostAreas} times");
            found.Take(area.Span);
            if (found.Continuation is not { } next) break;
            found.Continuation = null;
            area = await region.ReadAsync(next.Place, next.Length, cancellation);
        }
        return new(
            found.Name.Count > 0 ? Encoding.UTF8.GetString([.. found.Name]) : null,
            found.HasLink ? Encoding.UTF8.GetString([.. found.Link]) : null,
            found.MovedTo, found.IsRelocated, found.IsSpecial);
    }

    private sealed class Entries
    {
        private bool _componentContinues = true;

        public List<byte> Name { get; } = [];

        public List<byte> Link { get; } = [];

        public bool HasLink { get; private set; }

        public uint? MovedTo { get; private set; }

        public bool IsRelocated { get; private set; }

        public bool IsSpecial { get; private set; }

        public (long Place, int Length)? Continuation { get; set; }

        public void Take(ReadOnlySpan<byte> area)
        {
            while (area.Length >= 4 && area[2] >= 4 && area[2] <= area.Length)
            {
                var entry = area[..area[2]];
                area = area[entry.Length..];
                switch ((char)entry[0], (char)entry[1])
                {
                    case ('S', 'T'):
                        return;
                    case ('C', 'E') when entry.Length >= 28:
                        var (block, offset, length) = (BinaryPrimitives.ReadUInt32LittleEndian(entry[4..]), BinaryPrimitives.ReadUInt32LittleEndian(entry[12..]), BinaryPrimitives.ReadUInt32LittleEndian(entry[20..]));
                        if (length > IsoVolume.SectorSize) throw new DiskFormatException($"iso9660: a continuation area of {length} bytes");
                        Continuation = ((long)block * IsoVolume.SectorSize + offset, (int)length);
                        break;
                    case ('N', 'M') when entry.Length > 5 && (entry[4] & (Current | Parent)) == 0:
                        Append(Name, entry[5..]);
                        break;
                    case ('S', 'L') when entry.Length >= 5:
                        HasLink = true;
                        TakeLink(entry[5..]);
                        break;
                    case ('C', 'L') when entry.Length >= 12:
                        MovedTo = BinaryPrimitives.ReadUInt32LittleEndian(entry[4..]);
                        break;
                    case ('R', 'E'):
                        IsRelocated = true;
                        break;
                    // st_mode (§4.1.1): neither a regular file, a directory nor a link.
                    case ('P', 'X') when entry.Length >= 12:
                        IsSpecial = (BinaryPrimitives.ReadUInt32LittleEndian(entry[4..]) & 0xF000) is not (0x8000 or 0x4000 or 0xA000);
                        break;
                }
            }
        }

        // Components (§4.1.3.1), each with flags and a length; a slash goes between them unless one continues the last.
        private void TakeLink(ReadOnlySpan<byte> components)
        {
            while (components.Length >= 2 && 2 + components[1] <= components.Length)
            {
                var flags = components[0];
                var text = components.Slice(2, components[1]);
                if (!_componentContinues && (Link.Count == 0 || Link[^1] != '/')) Link.Add((byte)'/');
                Append(Link, (flags & FromRoot) != 0 ? "/"u8 : (flags & Parent) != 0 ? ".."u8 : (flags & Current) != 0 ? "."u8 : text);
                _componentContinues = (flags & Continues) != 0;
                components = components[(2 + text.Length)..];
            }
        }

        private static void Append(List<byte> text, ReadOnlySpan<byte> more)
        {
            if (text.Count + more.Length > MostText) throw new DiskFormatException($"iso9660: a name of more than {MostText} bytes");
            text.AddRange(more);
        }
    }
}
