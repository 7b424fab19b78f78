using System.Buffers.Binary;
using Slipway.Disks;

namespace Slipway.Scsi.Tests;

public class AtomicTests
{
    private const string CompareAndWriteOne = "89 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00";

    [Fact]
    public void Compare_and_write_writes_what_compares_and_tells_where_it_does_not()
    {
        var initiator = Initiator.Of(new MemoryDisk(1 << 20));
        var (zeroes, ones) = (new byte[512], Enumerable.Repeat((byte)1, 512).ToArray());
        initiator.Send(CompareAndWriteOne, (byte[])[.. zeroes, .. ones]).Good();
        Assert.Equal(ones, initiator.Send("08 00 00 00 01 00").Data);

        ones[44] = 9;
        var miscompare = initiator.Send(CompareAndWriteOne, (byte[])[.. ones, .. zeroes]).Refused(SenseCode.MiscompareDuringVerify);
        Assert.Equal(44u, miscompare.Information);
        Assert.Equal(1, initiator.Send("08 00 00 00 01 00").Data[44]);
    }

    [Theory]
    [InlineData(512)]
    [InlineData(1536)]
    public void Compare_and_write_wants_both_halves_and_no_more(int length)
    {
        Initiator.Of(new MemoryDisk(1 << 20)).Send(CompareAndWriteOne, new byte[length]).Refused(SenseCode.InvalidFieldInCdb);
    }

    [Fact]
    public async Task Counters_kept_by_compare_and_write_lose_no_step()
    {
        var disk = new YieldingDisk(1 << 20);
        var initiator = Initiator.Of(disk);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (var done = 0; done < 50;)
            {
                var seen = (await initiator.SendAsync(Initiator.Hex("08 00 00 00 01 00"))).Good().Data;
                var next = seen.ToArray();
                BinaryPrimitives.WriteInt32BigEndian(next, BinaryPrimitives.ReadInt32BigEndian(seen) + 1);
                var answer = await initiator.SendAsync(Initiator.Hex(CompareAndWriteOne), (byte[])[.. seen, .. next]);
                if (answer.Status == ScsiStatus.Good)
                    done++;
                else
                    answer.Refused(SenseCode.MiscompareDuringVerify);
            }
        })));
        Assert.Equal(400, BinaryPrimitives.ReadInt32BigEndian(initiator.Send("08 00 00 00 01 00").Data));
    }

    [Fact]
    public async Task Bits_set_by_orwrite_at_the_same_time_are_all_set()
    {
        var initiator = Initiator.Of(new YieldingDisk(1 << 20));
        await Task.WhenAll(Enumerable.Range(0, 256).Select(async bit =>
        {
            var data = new byte[512];
            data[bit / 8] = (byte)(1 << (bit % 8));
            (await initiator.SendAsync(Initiator.Hex("8B 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00"), data)).Good();
        }));
        var read = initiator.Send("08 00 00 00 01 00").Data;
        Assert.All(read[..32], b => Assert.Equal(0xFF, b));
        Assert.All(read[32..], b => Assert.Equal(0, b));
    }

    [Fact]
    public async Task A_write_waits_for_an_atomic_command_on_its_blocks_and_for_no_other()
    {
        var disk = new ScriptedDisk(1 << 20) { Gate = new TaskCompletionSource() };
        var initiator = Initiator.Of(disk);
        var atomic = initiator.SendAsync(Initiator.Hex(CompareAndWriteOne), new byte[1024]);
        var opened = disk.Gate;
        disk.Gate = null;
        var inside = initiator.SendAsync(Initiator.Hex("0A 00 00 00 01 00"), new byte[512]);
        initiator.Send("0A 00 00 01 01 00", new byte[512]).Good();
        Assert.False(inside.IsCompleted);

        using var cancellation = new CancellationTokenSource();
        var given = initiator.SendAsync(Initiator.Hex("0A 00 00 00 01 00"), new byte[512], cancellation: cancellation.Token);
        await cancellation.CancelAsync();
        Assert.Equal(ScsiStatus.TaskAborted, (await given).Status);

        opened.SetResult();
        (await atomic).Good();
        (await inside).Good();
    }

    /// <summary>Every call goes around the thread pool once: commands interleave wherever they can.</summary>
    private sealed class YieldingDisk(long length) : IBlockDevice
    {
        private readonly MemoryDisk _disk = new(length);

        public long Length => _disk.Length;

        public bool IsReadOnly => false;

        public async ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellation = default)
        {
            await _disk.ReadAsync(offset, destination, cancellation);
            await Task.Yield();
        }

        public async ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default)
        {
            await Task.Yield();
            await _disk.WriteAsync(offset, source, cancellation);
        }

        public ValueTask FlushAsync(CancellationToken cancellation = default) => default;

        public ValueTask DiscardAsync(long offset, long length, CancellationToken cancellation = default) =>
            _disk.DiscardAsync(offset, length, cancellation);

        public ValueTask WriteZeroesAsync(long offset, long length, bool mayDiscard, CancellationToken cancellation = default) =>
            _disk.WriteZeroesAsync(offset, length, mayDiscard, cancellation);

        public ValueTask<Extent> GetExtentAsync(long offset, CancellationToken cancellation = default) =>
            _disk.GetExtentAsync(offset, cancellation);

        public ValueTask DisposeAsync() => _disk.DisposeAsync();
    }
}
