using System.Buffers.Binary;
using Slipway.Disks;
using Slipway.Tests;
using Slipway.Volumes.Qcow2;

namespace Slipway.Volumes.Tests.Qcow2;

/// <summary>
/// Ends a random load at every step, and looks at what may be left: the image opens, has no error then and nothing in it
/// that nobody uses, and every sector holds what was flushed last (when the power goes) or acknowledged last (when the
/// process dies), or one of the values written since.
/// </summary>
public class Qcow2PowerCutTests
{
    private const int Size = 1 << 18;
    private const int Sector = 512;
    private const int Sectors = Size / Sector;

    /// <summary>A value that a sector had, the operation that wrote it, and the step of the file at which that began.</summary>
    private sealed record Value(ulong Tag, ulong Operation, int Since);

    private readonly List<Value>[] _history = [.. Enumerable.Range(0, Sectors).Select(_ => new List<Value>())];
    private readonly byte[] _content = new byte[Size];
    private readonly List<(ulong Operation, int Done)> _flushes = [];
    private readonly List<(ulong Operation, int Done)> _acknowledged = [];

    [Theory]
    [InlineData(1, 700, "cluster_size=4k", 4, 10_000)]
    [InlineData(2, 60, "cluster_size=512", 3, 1_000)]
    [InlineData(3, 1500, "extended_l2=on,cluster_size=32k", 4, 10_000)]
    [InlineData(4, 300, "extended_l2=on,cluster_size=16k", 3, 1_000)]
    public async Task Nothing_flushed_is_lost_at_any_cut(int seed, int operations, string options, int choices, int least)
    {
        using var folder = new TemporaryFolder();
        await Tool.RunAsync("qemu-img", "create", "-q", "-f", "qcow2", "-o", options, "-b", "/dev/null", "-F", "raw", "-u", folder["image"], $"{Size}");
        var file = new RecordingFile(await File.ReadAllBytesAsync(folder["image"])) { Boot = Guid.NewGuid() };
        var random = new Random(seed);
        await LoadAsync(file, random, operations);

        // By a hash of 32 bits: one that collides is not counted, so there are at least as many.
        var distinct = new HashSet<int>();
        foreach (var (step, medium) in file.PowerCuts(choices, random))
        {
            var hash = new HashCode();
            hash.AddBytes(medium);
            if (!distinct.Add(hash.ToHashCode())) continue;
            // What QEMU makes of a few.
            if (distinct.Count % (least / 3) == least / 5) await QemuRepairsAsync(folder["cut"], medium);
            await CheckAsync(new(medium) { Boot = Guid.NewGuid() }, _flushes, step);
        }
        Assert.True(distinct.Count >= least, $"only {distinct.Count} different media were looked at");
        foreach (var (step, content) in file.Deaths()) await CheckAsync(new(content) { Boot = file.Boot }, _acknowledged, step);
    }

    /// <summary>Opens what a cut left as a server that starts again does; it is sound then, and holds what it has to.</summary>
    private async Task CheckAsync(MemoryFile file, List<(ulong Operation, int Done)> kept, int cut)
    {
        await using (var device = await Qcow2Device.OpenAsync(file, (_, _) => ValueTask.FromResult<IBlockDevice>(Below()))) await CheckContentAsync(device, kept, cut);
        Qcow2Check.Sound(file.Content);
    }

    /// <summary>Opened for writing by QEMU, which repairs as well; without an error left.</summary>
    private static async Task QemuRepairsAsync(string path, byte[] medium)
    {
        await File.WriteAllBytesAsync(path, medium);
        await Tool.RunAsync("qemu-img", "rebase", "-u", "-b", "", path);
        Assert.Contains("No errors were found", await Tool.RunAsync("qemu-img", "check", path), StringComparison.Ordinal);
    }

    private async Task LoadAsync(RecordingFile file, Random random, int operations)
    {
        await using var device = await Qcow2Device.OpenAsync(file, (_, _) => ValueTask.FromResult<IBlockDevice>(Below()));
        for (var sector = 0; sector < Sectors; sector++) _history[sector].Add(new(BelowTag(sector), 0, 0));
        for (ulong i = 1; i <= (ulong)operations; i++)
        {
            var first = random.Next(Sectors);
            var count = Math.Min(random.Next(1, 40), Sectors - first);
            var since = file.Count;
            switch (random.Next(10))
            {
                case 0:
                    await device.FlushAsync();
                    _flushes.Add((i, file.Count));
                    break;
                case 1 or 2:
                    for (var s = first; s < first + count; s++) _history[s].Add(new(0, i, since));
                    await device.DiscardAsync(first * Sector, count * Sector);
                    break;
                default:
                    var bytes = new byte[count * Sector];
                    for (var s = 0; s < count; s++)
                    {
                        Fill(bytes.AsSpan(s * Sector, Sector), i);
                        _history[first + s].Add(new(i, i, since));
                    }
                    await device.WriteAsync(first * Sector, bytes);
                    break;
            }
            _acknowledged.Add((i, file.Count));
        }
    }

    private async Task CheckContentAsync(Qcow2Device device, List<(ulong Operation, int Done)> kept, int cut)
    {
        var last = kept.FindLastIndex(k => k.Done <= cut);
        var flushed = last < 0 ? 0 : kept[last].Operation;
        var content = _content;
        await device.ReadAsync(0, content);
        var whole = new byte[Sector];
        for (var sector = 0; sector < Sectors; sector++)
        {
            var bytes = content.AsSpan(sector * Sector, Sector);
            var tag = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            Fill(whole, tag);
            if (!bytes.SequenceEqual(whole)) Assert.Fail($"cut {cut}: sector {sector} is torn within");
            var history = _history[sector];
            var oldest = history.FindLastIndex(v => v.Operation <= flushed || v.Operation == 0);
            var legal = false;
            for (var i = Math.Max(0, oldest); i < history.Count && history[i].Since <= cut; i++) legal |= history[i].Tag == tag;
            if (!legal) Assert.Fail($"cut {cut}: sector {sector} holds {tag}; legal are {string.Join(", ", history.Skip(Math.Max(0, oldest)).Where(v => v.Since <= cut).Select(v => v.Tag))}");
        }
    }

    private static ulong BelowTag(int sector) => 1_000_000 + (ulong)sector;

    private static void Fill(Span<byte> sector, ulong tag)
    {
        for (var at = 0; at < Sector; at += 8) BinaryPrimitives.WriteUInt64LittleEndian(sector[at..], tag);
    }

    private static readonly byte[] BelowBytes = MakeBelow();

    private static MemoryDisk Below() => new(BelowBytes) { IsReadOnly = true };

    private static byte[] MakeBelow()
    {
        var bytes = new byte[Size];
        for (var sector = 0; sector < Sectors; sector++) Fill(bytes.AsSpan(sector * Sector, Sector), BelowTag(sector));
        return bytes;
    }
}
