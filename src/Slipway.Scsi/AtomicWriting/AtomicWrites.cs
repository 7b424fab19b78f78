using System.Runtime.CompilerServices;
using Slipway.Disks;
using Slipway.Scsi.Commands.Medium;

namespace Slipway.Scsi.AtomicWriting;

/// <summary>
/// Atomic writes (SBC-4 §4.29) on a medium that promises as much of 512 bytes only. A write and what it replaces are kept
/// beside the medium, and flushed, before the medium is touched and until the write is on it: who finds them after a crash
/// completes what is torn.
/// </summary>
/// <remarks>One at a time: each costs several flushes, and only one is kept.</remarks>
internal sealed class AtomicWrites(IAtomicWriteStore store)
{
    private readonly RangeLock _turn = new();

    // Odd while the medium is between old and new.
    private long _version;

    /// <summary>Returns when the data are on the medium. Where that fails the medium is as it was.</summary>
    public async ValueTask WriteAsync(
        DiskUnit unit, UnitNexus nexus, BlockRange range, ReadOnlyMemory<byte> data, CancellationToken cancellation)
    {
        var offset = unit.ToBytes(range.Lba);
        var before = new byte[data.Length];
        using (await unit.BeginChangeAsync(nexus, range, exclusive: true, cancellation))
        {
            await unit.Device.ReadAsync(offset, before, cancellation);
            using (await _turn.EnterAloneAsync(cancellation))
            {
                await unit.Device.FlushAsync(cancellation);
                // From here on to the end: an abort that comes late is better than a write that waits for the next start.
                await store.SaveAsync(new(offset, before, data));
                await ReplaceAsync(unit.Device, offset, before, data);
                await store.ClearAsync();
            }
        }
    }

    /// <summary>
    /// Reads blocks as they were before an atomic write, or after it. Costs a look at a number: where a write has come
    /// between, the blocks are read again.
    /// </summary>
    public ValueTask ReadAsync(DiskUnit unit, BlockRange range, Memory<byte> destination, CancellationToken cancellation)
    {
        var version = Volatile.Read(ref _version);
        var read = unit.Device.ReadAsync(unit.ToBytes(range.Lba), destination, cancellation);
        return read.IsCompletedSuccessfully && IsUntouched(version) ? read : CheckAsync(read, version, unit, range, destination, cancellation);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask CheckAsync(
        ValueTask read, long version, DiskUnit unit, BlockRange range, Memory<byte> destination, CancellationToken cancellation)
    {
        await read;
        if (IsUntouched(version))
            return;
        using (await unit.KeepChangesOffAsync(range, cancellation))
            await unit.Device.ReadAsync(unit.ToBytes(range.Lba), destination, cancellation);
    }

    private bool IsUntouched(long version) => (version & 1) == 0 && Volatile.Read(ref _version) == version;

    private async ValueTask ReplaceAsync(IBlockDevice device, long offset, ReadOnlyMemory<byte> before, ReadOnlyMemory<byte> after)
    {
        Interlocked.Increment(ref _version);
        try
        {
            await device.WriteAsync(offset, after, CancellationToken.None);
            await device.FlushAsync(CancellationToken.None);
        }
        catch (BlockDeviceException)
        {
            await device.WriteAsync(offset, before, CancellationToken.None);
            await device.FlushAsync(CancellationToken.None);
            await store.ClearAsync();
            throw;
        }
        finally
        {
            Interlocked.Increment(ref _version);
        }
    }
}
