using System.Buffers.Binary;

namespace Slipway.Volumes.Tests.Qcow2;

/// <summary>What <c>qemu-img check</c> looks for, fast enough for ten thousand images: every cluster that is used is counted, and used once; no other is counted.</summary>
internal static class Qcow2Check
{
    public static void Sound(ReadOnlySpan<byte> image)
    {
        var clusterSize = 1L << BinaryPrimitives.ReadInt32BigEndian(image[20..]);
        var entryBytes = (I64(image, 72) & 16) != 0 ? 16 : 8;
        var used = new HashSet<long>();
        Use(used, 0);
        var refcounts = I64(image, 48);
        Use(used, refcounts);
        var counts = new Dictionary<long, long>();
        for (var i = 0; i < clusterSize / 8; i++)
        {
            var block = I64(image, refcounts + i * 8);
            if (block == 0) continue;
            Use(used, block);
            counts.Add(i, block);
        }
        var l1 = I64(image, 40);
        var entries = BinaryPrimitives.ReadInt32BigEndian(image[36..]);
        for (long at = 0; at < entries * 8L; at += clusterSize) Use(used, l1 + at);
        for (var i = 0; i < entries; i++)
        {
            var table = I64(image, l1 + i * 8L) & 0x00FF_FFFF_FFFF_FE00;
            if (table == 0) continue;
            Use(used, table);
            for (var j = 0; j < clusterSize / entryBytes; j++)
            {
                var cluster = I64(image, table + j * entryBytes) & 0x00FF_FFFF_FFFF_FE00;
                if (cluster != 0) Use(used, cluster);
                if (entryBytes == 16) CheckBitmap((ulong)I64(image, table + j * 16 + 8), cluster);
            }
        }
        foreach (var (index, block) in counts)
        {
            var bytes = image[(int)block..];
            for (var i = 0; i < clusterSize / 2; i++)
            {
                if ((bytes[i * 2] | bytes[i * 2 + 1]) != 0 && !used.Contains((index * clusterSize / 2 + i) * clusterSize))
                    Assert.Fail($"cluster {index * clusterSize / 2 + i} is counted, and nobody uses it");
            }
        }
        foreach (var cluster in used)
        {
            var (block, index) = long.DivRem(cluster / clusterSize, clusterSize / 2);
            if (cluster % clusterSize != 0) Assert.Fail($"the cluster at {cluster} is not aligned");
            if (!counts.TryGetValue(block, out var counted)) Assert.Fail($"the cluster at {cluster} is used and has no count");
            var count = counted + index * 2 + 2 <= image.Length ? BinaryPrimitives.ReadUInt16BigEndian(image[(int)(counted + index * 2)..]) : 0;
            if (count != 1) Assert.Fail($"the cluster at {cluster} is used once and counted {count} times");
        }
    }

    private static void CheckBitmap(ulong bitmap, long cluster)
    {
        var (allocated, zero) = ((uint)bitmap, (uint)(bitmap >> 32));
        if ((allocated & zero) != 0) Assert.Fail($"subclusters of the cluster at {cluster} are both allocated and zero: {bitmap:x16}");
        if (allocated != 0 && cluster == 0) Assert.Fail($"subclusters are allocated without a cluster: {bitmap:x16}");
    }

    private static void Use(HashSet<long> used, long cluster)
    {
        if (!used.Add(cluster)) Assert.Fail($"the cluster at {cluster} is used twice");
    }

    private static long I64(ReadOnlySpan<byte> image, long at) => at + 8 <= image.Length ? BinaryPrimitives.ReadInt64BigEndian(image[(int)at..]) : 0;
}
