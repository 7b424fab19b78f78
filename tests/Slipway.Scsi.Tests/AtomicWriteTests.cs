using CsCheck;
using Slipway.Disks;
using Slipway.Scsi.AtomicWriting;

namespace Slipway.Scsi.Tests;

public class AtomicWriteTests
{
    private const int Length = 256 * 512;
    private readonly Store _store = new();

    [Fact]
    public void A_unit_that_can_keep_a_write_takes_256_blocks_at_once()
    {
        var initiator = Of(new MemoryDisk(1 << 20));
        Assert.Equal(
            Initiator.Hex("00000100 00000000 00000000 00000000 00000000"),
            initiator.Send("12 01 B0 00 FF 00").Good().Data[44..64]);
        var data = Filled(1, Length);
        Assert.Equal(Length, initiator.Send(Cdb(3, 256), data).Good().TransferLength);
        Assert.Equal(data, initiator.Send("28 00 00 00 00 03 00 01 00 00").Good().Data);
        Assert.Null(_store.Kept);
        initiator.Send(Cdb(0, 0)).Good();
    }

    [Theory]
    [InlineData(2048, 1, 0, "LogicalBlockAddressOutOfRange", null)]
    [InlineData(1792, 257, 0, "LogicalBlockAddressOutOfRange", null)]
    [InlineData(2049, 0, 0, "LogicalBlockAddressOutOfRange", null)]
    [InlineData(0, 257, 0, "InvalidFieldInCdb", 12)]
    [InlineData(0, 16, 4, "InvalidFieldInCdb", 11)]     // ATOMIC BOUNDARY
    [InlineData(0, 255, 0, "InvalidFieldInCdb", 12)]    // less data than that
    public async Task What_cannot_be_atomic_is_refused(int lba, int blocks, int boundary, string sense, int? field)
    {
        var disk = new MemoryDisk(1 << 20);
        var answer = Of(disk).Send(Cdb(lba, blocks, boundary), Filled(1, 254 * 512));
        answer.Refused(sense);
        Assert.Equal(field, answer.Field);
        Assert.Equal(ExtentKind.Hole, (await disk.GetExtentAsync(0)).Kind);
    }

    [Fact]
    public void A_unit_that_cannot_keep_a_write_does_not_know_the_command()
    {
        var initiator = Initiator.Of(new MemoryDisk(1 << 20));
        initiator.Send(Cdb(0, 1), new byte[512]).Refused(SenseCode.InvalidCommandOperationCode);
        Assert.Equal(new byte[20], initiator.Send("12 01 B0 00 FF 00").Good().Data[44..64]);
    }

    /// <summary>
    /// Power is cut at any step, and any of the sectors that were not flushed are there and any are not. What is found then
    /// is the write or what was there, also where that was written, and not flushed, just before.
    /// </summary>
    [Fact]
    public async Task After_a_power_cut_the_write_is_there_whole_or_not_at_all()
    {
        await Gen.Select(Gen.Int[0, 12], Gen.Bool, Gen.Int, Gen.Int[1, 8]).SampleAsync(
            async (steps, wasFlushed, seed, blocks) =>
            {
                var store = new Store();
                var disk = new CuttableDisk(64 * 512);
                var initiator = Of(disk, store);
                var (before, after) = (Filled(1, blocks * 512), Filled(2, blocks * 512));
                initiator.Send($"2A {(wasFlushed ? "08" : "00")} 00 00 00 02 00 00 {blocks:X2} 00", before).Good();
                disk.StepsLeft = steps;
                store.Disk = disk;
                var isThere = initiator.Send(Cdb(2, blocks), after).Status == ScsiStatus.Good;
                var wasKept = store.Kept is not null;
                var torn = disk.Cut(new Random(seed));
                if (store.Kept is { } kept)
                    await kept.CompleteAsync(torn, CancellationToken.None);
                var found = new byte[blocks * 512];
                await torn.ReadAsync(2 * 512, found);
                if (isThere)
                    Assert.Equal(after, found);
                else if (wasFlushed || wasKept)
                    Assert.True(found.AsSpan().SequenceEqual(before) || found.AsSpan().SequenceEqual(after));
                else
                    // The write before was torn: nobody promised it.
                    Assert.DoesNotContain((byte)2, found);
            },
            iter: 5000);
    }

    [Fact]
    public async Task A_write_that_was_kept_too_long_does_no_harm()
    {
        var (old, recent) = (new byte[2048], Filled(1, 2048));
        var disk = new MemoryDisk(1 << 20);
        var write = new AtomicWrite(0, old, recent);
        // Torn, and then written by somebody else.
        await disk.WriteAsync(0, Filled(1, 512));
        await disk.WriteAsync(1024, Filled(3, 512));
        await write.CompleteAsync(disk, CancellationToken.None);
        var found = new byte[2048];
        await disk.ReadAsync(0, found);
        Assert.Equal([.. Filled(1, 512), .. new byte[512], .. Filled(3, 512), .. new byte[512]], found);
        // Of a disk that was longer.
        await new AtomicWrite((1 << 20) - 1024, old, recent).CompleteAsync(disk, CancellationToken.None);
    }

    [Theory]
    [InlineData(BlockDeviceError.Io, "WriteError")]
    [InlineData(BlockDeviceError.NoSpace, "SpaceAllocationFailed")]
    public void A_write_that_fails_leaves_what_was_there(BlockDeviceError error, string sense)
    {
        var disk = new CuttableDisk(64 * 512);
        var initiator = Of(disk);
        initiator.Send("2A 00 00 00 00 00 00 00 04 00", Filled(1, 2048)).Good();
        disk.FailsOnce = error;
        initiator.Send(Cdb(0, 4), Filled(2, 2048)).Refused(sense);
        Assert.Equal(Filled(1, 2048), initiator.Send("28 00 00 00 00 00 00 00 04 00").Good().Data);
        Assert.Null(_store.Kept);
    }

    [Fact]
    public async Task Who_reads_meanwhile_sees_one_write_or_the_other()
    {
        var initiator = Of(new SlowDisk(1 << 20));
        var seen = new HashSet<byte>();
        using var seenEnough = new CancellationTokenSource();
        var writing = Task.Run(async () =>
        {
            for (byte fill = 1; !seenEnough.IsCancellationRequested; fill++)
                (await initiator.SendAsync(Cdb(0, 64), Filled(fill, 64 * 512))).Good();
        });
        while (seen.Count < 50)
        {
            var read = (await initiator.SendAsync(Initiator.Hex("28 00 00 00 00 00 00 00 40 00"))).Good().Data;
            Assert.Equal(-1, read.AsSpan().IndexOfAnyExcept(read[0]));
            seen.Add(read[0]);
        }
        await seenEnough.CancelAsync();
        await writing;
    }

    private Initiator Of(IBlockDevice disk) => Of(disk, _store);

    private static Initiator Of(IBlockDevice disk, IAtomicWriteStore store)
    {
        var target = new TargetDevice("iqn.2026-01.test:target");
        target.Attach(0, new DiskUnit(disk, new UnitIdentity("volume"), atomicWrites: store));
        return new Initiator(target);
    }

    private static byte[] Cdb(int lba, int blocks, int boundary = 0) =>
        Initiator.Hex($"9C 00 {lba:X16} {boundary:X4} {blocks:X4} 00 00");

    private static byte[] Filled(byte fill, int length)
    {
        var data = new byte[length];
        Array.Fill(data, fill);
        return data;
    }

    /// <summary>What is saved is on a medium of its own, at once; it ends where the disk beside it does.</summary>
    private sealed class Store : IAtomicWriteStore
    {
        public AtomicWrite? Kept { get; private set; }

        public CuttableDisk? Disk { get; set; }

        public ValueTask SaveAsync(AtomicWrite write)
        {
            Disk?.Step();
            Kept = new(write.Offset, write.Before.ToArray(), write.After.ToArray());
            return default;
        }

        public ValueTask ClearAsync()
        {
            Disk?.Step();
            Kept = null;
            return default;
        }
    }

    /// <summary>A disk with a cache, whose power goes after so many steps.</summary>
    private sealed class CuttableDisk(int length) : IBlockDevice
    {
        private readonly byte[] _cache = new byte[length];
        private readonly byte[] _medium = new byte[length];

        public int? StepsLeft { get; set; }

        public BlockDeviceError? FailsOnce { get; set; }

        public long Length => length;

        public bool IsReadOnly => false;

        public void Step()
        {
            if (StepsLeft is { } left && (StepsLeft = left - 1) < 0)
                throw new BlockDeviceException(BlockDeviceError.Io, "the power is gone");
        }

        /// <summary>Of the sectors that were written and not flushed, any.</summary>
        public MemoryDisk Cut(Random random)
        {
            for (var at = 0; at < length; at += 512)
            {
                if (random.Next(2) == 0)
                    _cache.AsSpan(at, 512).CopyTo(_medium.AsSpan(at));
            }
            return new MemoryDisk(_medium);
        }

        public ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellation = default)
        {
            _cache.AsMemory((int)offset, destination.Length).CopyTo(destination);
            return default;
        }

        public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default)
        {
            if (FailsOnce is { } error)
            {
                // In the middle of it.
                FailsOnce = null;
                source[..(source.Length / 2)].CopyTo(_cache.AsMemory((int)offset));
                throw new BlockDeviceException(error, "as the test wants");
            }
            for (var at = 0; at < source.Length; at += 512)
            {
                Step();
                source.Slice(at, 512).CopyTo(_cache.AsMemory((int)offset + at));
            }
            return default;
        }

        public ValueTask FlushAsync(CancellationToken cancellation = default)
        {
            Step();
            _cache.CopyTo(_medium.AsSpan());
            return default;
        }

        public ValueTask DiscardAsync(long offset, long length, CancellationToken cancellation = default) => throw new NotSupportedException();

        public ValueTask WriteZeroesAsync(long offset, long length, bool mayDiscard, CancellationToken cancellation = default) => throw new NotSupportedException();

        public ValueTask<Extent> GetExtentAsync(long offset, CancellationToken cancellation = default) =>
            ValueTask.FromResult(new Extent(offset, length - offset, ExtentKind.Data));

        public ValueTask DisposeAsync() => default;
    }

    /// <summary>Writes sector by sector, and lets others in between.</summary>
    private sealed class SlowDisk(long length) : IBlockDevice
    {
        private readonly MemoryDisk _disk = new(length);

        public long Length => _disk.Length;

        public bool IsReadOnly => false;

        public async ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellation = default)
        {
            for (var at = 0; at < destination.Length; at += 4096)
            {
                await Task.Yield();
                await _disk.ReadAsync(offset + at, destination.Slice(at, 4096), cancellation);
            }
        }

        public async ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default)
        {
            for (var at = 0; at < source.Length; at += 4096)
            {
                await Task.Yield();
                await _disk.WriteAsync(offset + at, source.Slice(at, 4096), cancellation);
            }
        }

        public ValueTask FlushAsync(CancellationToken cancellation = default) => default;

        public ValueTask DiscardAsync(long offset, long length, CancellationToken cancellation = default) => _disk.DiscardAsync(offset, length, cancellation);

        public ValueTask WriteZeroesAsync(long offset, long length, bool mayDiscard, CancellationToken cancellation = default) =>
            _disk.WriteZeroesAsync(offset, length, mayDiscard, cancellation);

        public ValueTask<Extent> GetExtentAsync(long offset, CancellationToken cancellation = default) => _disk.GetExtentAsync(offset, cancellation);

        public ValueTask DisposeAsync() => _disk.DisposeAsync();
    }
}
