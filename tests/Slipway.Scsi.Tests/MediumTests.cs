using Slipway.Disks;
using Slipway.Tests;

namespace Slipway.Scsi.Tests;

public class MediumTests
{
    [Theory]
    [InlineData("0A 00 00 05 02 00", "08 00 00 05 02 00")]
    [InlineData("2A 00 00 00 00 05 00 00 02 00", "28 00 00 00 00 05 00 00 02 00")]
    [InlineData("AA 18 00 00 00 05 00 00 00 02 00 00", "A8 18 00 00 00 05 00 00 00 02 00 00")]
    [InlineData("8A 08 00 00 00 00 00 00 00 05 00 00 00 02 00 00", "88 08 00 00 00 00 00 00 00 05 00 00 00 02 00 00")]
    public void What_is_written_is_read(string write, string read)
    {
        var initiator = Initiator.Of(new MemoryDisk(1 << 20));
        var data = Pattern(1024);
        Assert.Equal(1024, initiator.Send(write, data).Good().TransferLength);
        Assert.Equal(data, initiator.Send(read).Good().Data);
        Assert.Equal(new byte[512], initiator.Send("08 00 00 07 01 00").Good().Data);
    }

    [Fact]
    public void Less_data_than_the_cdb_says_moves_only_that()
    {
        var initiator = Initiator.Of(new MemoryDisk(1 << 20));
        var data = Pattern(1024);
        Assert.Equal(1024, initiator.Send("2A 00 00 00 00 00 00 00 02 00", data.AsMemory(0, 700)).Good().TransferLength);
        var read = initiator.Send("28 00 00 00 00 00 00 00 02 00", limit: 700).Good();
        Assert.Equal(1024, read.TransferLength);
        Assert.Equal([.. data[..512], .. new byte[188]], read.Data);
    }

    [Theory]
    [InlineData("28 08 00 00 00 00 00 00 01 00", 1)]
    [InlineData("28 00 00 00 00 00 00 00 01 00", 0)]
    [InlineData("2A 08 00 00 00 00 00 00 01 00", 1)]
    [InlineData("2A 00 00 00 00 00 00 00 01 00", 0)]
    [InlineData("2E 00 00 00 00 00 00 00 01 00", 1)] // WRITE AND VERIFY: verified on the medium
    [InlineData("35 00 00 00 00 00 00 00 00 00", 1)]
    [InlineData("91 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00", 1)]
    [InlineData("1B 00 00 00 00 00", 1)]
    [InlineData("1B 00 00 00 04 00", 0)] // NO_FLUSH
    [InlineData("1B 00 00 00 01 00", 0)]
    public void A_flush_happens_where_the_initiator_asks(string cdb, int flushes)
    {
        var disk = new ScriptedDisk(1 << 20);
        Initiator.Of(disk).Send(cdb, new byte[512]).Good();
        Assert.Equal(flushes, disk.Flushes);
    }

    [Theory]
    [InlineData("28 00 00 00 00 00 00 00 01 00", BlockDeviceError.Io, "UnrecoveredReadError")]
    [InlineData("2F 00 00 00 00 00 00 00 01 00", BlockDeviceError.Io, "UnrecoveredReadError")]
    [InlineData("2A 00 00 00 00 00 00 00 01 00", BlockDeviceError.Io, "WriteError")]
    [InlineData("35 00 00 00 00 00 00 00 00 00", BlockDeviceError.Io, "WriteError")]
    [InlineData("2A 00 00 00 00 00 00 00 01 00", BlockDeviceError.NoSpace, "SpaceAllocationFailed")]
    [InlineData("41 00 00 00 00 00 00 00 01 00", BlockDeviceError.NoSpace, "SpaceAllocationFailed")]
    [InlineData("2A 00 00 00 00 00 00 00 01 00", BlockDeviceError.ReadOnly, "WriteProtected")]
    [InlineData("28 00 00 00 00 00 00 00 01 00", BlockDeviceError.Corrupt, "MediumFormatCorrupted")]
    public async Task A_refusal_of_the_medium_becomes_sense(string cdb, BlockDeviceError error, string sense)
    {
        var disk = new ScriptedDisk(1 << 20) { Fails = error };
        Initiator.Of(disk).Send(cdb, new byte[512]).Refused(sense);

        disk.Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var late = Initiator.Of(disk).SendAsync(Initiator.Hex(cdb), new byte[512]);
        Assert.False(late.IsCompleted);
        disk.Gate.SetResult();
        (await late).Refused(sense);
    }

    /// <summary>A medium that never waits: other connections' commands must not wait for all of it.</summary>
    [Theory]
    [InlineData("93 00 0000000000000000 00000100 00 00", true)]
    [InlineData("93 00 0000000000000000 00000101 00 00", false)]
    public void A_long_write_leaves_the_thread_that_it_came_by(string cdb, bool stays)
    {
        var disk = new ScriptedDisk(1 << 20);
        var block = new byte[512];
        block[0] = 1;
        Initiator.Of(disk).Send(cdb, block).Good();
        Assert.Equal(stays, disk.Writer == Environment.CurrentManagedThreadId);
    }

    [Fact]
    public async Task A_long_write_that_is_given_up_ends_early()
    {
        var disk = new ScriptedDisk(1 << 20) { Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously) };
        var target = new TargetDevice("iqn.2026-01.test:target");
        target.Attach(0, new DiskUnit(disk, new UnitIdentity("volume")));
        var block = new byte[512];
        block[0] = 1;
        var task = new LentTask();
        task.Reset(Initiator.Hex("93 00 0000000000000000 00000200 00 00"));
        (task.Nexus, task.DataOut) = (target.OpenNexus("one", 1), block);
        var pending = target.ExecuteAsync(task, TestContext.Current.CancellationToken);
        task.Abandon();
        disk.Gate.SetResult();
        await pending;
        Assert.Equal(ScsiStatus.TaskAborted, task.Status);
        Assert.Equal(0, new Initiator(target, "two").Send("28 00 00 00 01 00 00 00 01 00").Good().Data[0]);
    }

    [Theory]
    [InlineData("8B 08 0000000000000000 00000001 00 00", "", 512, 1)] // ORWRITE with FUA
    [InlineData("8B 00 0000000000000000 00000001 00 00", "", 512, 0)]
    [InlineData("89 08 0000000000000000 000000 01 00 00", "", 1024, 1)] // COMPARE AND WRITE with FUA
    [InlineData("89 00 0000000000000000 000000 01 00 00", "", 1024, 0)]
    [InlineData("48 02 00 00 00 00 00 00 00 00", "", 0, 1)] // SANITIZE
    [InlineData("48 01 00 00 00 00 00 00 05 00", "01 00 0001 AA", 5, 1)]
    [InlineData("04 00 00 00 00 00", "", 0, 1)] // FORMAT UNIT
    public void What_has_to_be_on_the_medium_is_flushed(string cdb, string list, int length, int flushes)
    {
        var disk = new ScriptedDisk(1 << 20);
        var data = new byte[length];
        Initiator.Hex(list).CopyTo(data, 0);
        Initiator.Of(disk).Send(cdb, data).Good();
        Assert.Equal(flushes, disk.Flushes);
    }

    [Theory]
    [InlineData("93 09 0000000000000000 00000008 00 00", true)]
    [InlineData("93 08 0000000000000000 00000008 00 00", true)]
    [InlineData("93 01 0000000000000000 00000008 00 00", false)]
    [InlineData("41 00 00000000 00 0008 00", false)]
    public void Zeroes_take_no_space_where_UNMAP_is_set_and_only_there(string cdb, bool mayDiscard)
    {
        var disk = new ScriptedDisk(1 << 20);
        var hasData = (Initiator.Hex(cdb)[1] & 1) == 0;
        Initiator.Of(disk).Send(cdb, new byte[hasData ? 512 : 0]).Good();
        Assert.Equal(mayDiscard, disk.ZeroesMayDiscard);
    }

    /// <summary>What the Block Limits page promises (MAXIMUM WRITE SAME LENGTH, MAXIMUM UNMAP BLOCK DESCRIPTOR COUNT), and one more.</summary>
    [Fact]
    public void What_one_command_gives_back_is_bounded()
    {
        var initiator = Initiator.Of(new MemoryDisk(2L << 30));
        initiator.Send("93 09 0000000000000000 00200000 00 00").Good();
        Assert.Equal(10, initiator.Send("93 09 0000000000000000 00200001 00 00").Refused(SenseCode.InvalidFieldInCdb).Field);
        initiator.Send("42 00 00 00 00 00 00 10 08 00", (byte[])[0x10, 0x06, 0x10, 0x00, .. new byte[4 + 256 * 16]]).Good();
        Assert.Equal(2, initiator.Send("42 00 00 00 00 00 00 10 18 00", (byte[])[0x10, 0x16, 0x10, 0x10, .. new byte[4 + 257 * 16]])
            .Refused(SenseCode.InvalidFieldInParameterList).Field);
    }

    [Fact]
    public async Task A_cancelled_command_ends_as_aborted()
    {
        var disk = new ScriptedDisk(1 << 20) { Gate = new TaskCompletionSource() };
        using var cancellation = new CancellationTokenSource();
        var read = Initiator.Of(disk).SendAsync(Initiator.Hex("08 00 00 00 01 00"), cancellation: cancellation.Token);
        await cancellation.CancelAsync();
        var answer = await read;
        Assert.Equal(ScsiStatus.TaskAborted, answer.Status);
        Assert.Empty(answer.Data);
    }

    [Fact]
    public void Verify_compares_with_the_blocks_or_with_the_block_that_were_sent()
    {
        var initiator = Initiator.Of(new MemoryDisk(1 << 20));
        var data = Pattern(1024);
        initiator.Send("2A 00 00 00 00 00 00 00 02 00", data).Good();
        initiator.Send("2F 02 00 00 00 00 00 00 02 00", data).Good();
        initiator.Send("2F 00 00 00 00 00 00 00 02 00", new byte[1024]).Good();
        initiator.Send("2F 06 00 00 00 02 00 00 09 00", new byte[512]).Good();

        data[700] ^= 1;
        var miscompare = initiator.Send("2F 02 00 00 00 00 00 00 02 00", data).Refused(SenseCode.MiscompareDuringVerify);
        Assert.Equal(700u, miscompare.Information);
        Assert.Equal(512u, initiator.Send("AF 06 00 00 00 00 00 00 00 02 00 00", Pattern(1024).AsMemory(0, 512)).Information);
    }

    [Fact]
    public void A_read_and_a_write_allocate_nothing()
    {
        var target = new TargetDevice("iqn.2026-01.test:target");
        target.Attach(0, new DiskUnit(new MemoryDisk(1 << 20), new UnitIdentity("volume")));
        var task = new LentTask(8192);
        var nexus = target.OpenNexus("one", 1);
        var (read, write, data) = (Initiator.Hex("28 00 00 00 00 08 00 00 10 00"), Initiator.Hex("2A 00 00 00 00 08 00 00 10 00"), Pattern(8192));

        // The first rounds warm up; tiered compilation may allocate on other threads, which the counter does not see.
        Run(100);
        Assert.Equal(0, Allocations.Of(() => Run(1000)));

        void Run(int times)
        {
            for (var i = 0; i < times; i++)
            {
                Send(write);
                Send(read);
            }
        }

        void Send(byte[] cdb)
        {
            task.Again(cdb);
            task.Nexus = nexus;
            task.DataOut = data;
            task.DataInLimit = 8192;
            var pending = target.ExecuteAsync(task);
            if (!pending.IsCompletedSuccessfully || task.Status != ScsiStatus.Good)
                throw new InvalidOperationException("A command on memory completes at once.");
        }
    }

    private static byte[] Pattern(int length)
    {
        var data = new byte[length];
        new Random(length).NextBytes(data);
        return data;
    }
}
