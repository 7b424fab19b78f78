using Slipway.Volumes.Qcow2.Files;
using Slipway.Volumes.Qcow2.Headers;
using Slipway.Volumes.Qcow2.Refcounts;
using Slipway.Volumes.Qcow2.Tables;

namespace Slipway.Volumes.Qcow2.Writing;

/// <summary>Takes clusters of the file, and changes the entries that lead there.</summary>
internal sealed class Qcow2Allocation(
    IImageFile file, Qcow2Header header, Qcow2Tables tables, Qcow2Refcounts refcounts, Qcow2Commits commits, SemaphoreSlim metadata)
{
    /// <summary>A new cluster, with the L2 table that will lead to it.</summary>
    public async ValueTask<long> AllocateAsync(long cluster, CancellationToken cancellation)
    {
        await metadata.WaitAsync(cancellation);
        try
        {
            // Not cancelled from here on: half of it would be a cluster that nobody uses.
            await MakeTableAsync(cluster);
            return await refcounts.AllocateAsync(CancellationToken.None);
        }
        finally
        {
            metadata.Release();
        }
    }

    /// <summary>Changes the L2 entry of the cluster at a place, in a table that is made if there is none.</summary>
    /// <param name="old">What it leads to no more.</param>
    public async ValueTask ChangeAsync(long offset, L2Entry entry, Mapping old)
    {
        var (descriptor, bitmap) = entry.ToWords(header);
        Qcow2Commits.Made made;
        await metadata.WaitAsync();
        try
        {
            var cluster = offset >> header.ClusterBits;
            await MakeTableAsync(cluster);
            made = await commits.ChangeAsync(new(IsL1: false, cluster, descriptor, bitmap, old));
        }
        finally
        {
            metadata.Release();
        }
        await commits.AcknowledgedAsync(made);
    }

    /// <summary>Makes the L2 table for a cluster where there is none. Under the metadata lock.</summary>
    private async ValueTask MakeTableAsync(long cluster)
    {
        var l1Index = tables.L1IndexOf(cluster);
        if (tables.HasTable(l1Index)) return;
        var table = await refcounts.AllocateAsync(CancellationToken.None);
        var empty = false;
        try
        {
            await file.WriteAsync(table, new byte[header.ClusterSize]);
            empty = true;
        }
        finally
        {
            if (!empty) commits.GiveUp(table);
        }
        await commits.ChangeAsync(new(IsL1: true, l1Index, (ulong)table | Mapping.Copied));
    }
}
