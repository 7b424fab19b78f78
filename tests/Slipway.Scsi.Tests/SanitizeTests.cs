using Slipway.Disks;

namespace Slipway.Scsi.Tests;

public class SanitizeTests
{
    private const string Erase = "48 02 00 00 00 00 00 00 00 00";
    private const string EraseAtOnce = "48 82 00 00 00 00 00 00 00 00";
    private const string ReadFirst = "28 00 00 00 00 00 00 00 01 00";
    private const string ExitFailure = "48 1F 00 00 00 00 00 00 00 00";

    [Theory]
    [InlineData("01", "A1A2A3A1")]
    [InlineData("02", "A1A2A3A1")]
    [InlineData("82", "5E5D5C5E")] // INVERT: every other pass
    [InlineData("83", "A1A2A3A1")]
    public void Overwrite_fills_every_block_with_the_pattern_of_the_last_pass(string passes, string pattern)
    {
        var initiator = Initiator.Of(new MemoryDisk(1 << 20));
        initiator.Send("48 01 00 00 00 00 00 00 07 00", Initiator.Hex(passes + "00 0003 A1A2A3")).Good();
        var first = initiator.Send("28 00 00 00 00 00 00 00 01 00").Good().Data;
        Assert.Equal(Initiator.Hex(pattern), first[..4]);
        Assert.Equal(first, initiator.Send("28 00 00 00 07 FF 00 00 01 00").Good().Data);
    }

    [Fact]
    public void Block_erase_leaves_zeroes_and_no_space()
    {
        var content = new byte[1 << 20];
        Array.Fill(content, (byte)7);
        var initiator = Initiator.Of(new MemoryDisk(content));
        initiator.Send(Erase).Good();
        Assert.Equal(new byte[512], initiator.Send("08 00 00 00 01 00").Good().Data);
        // GET LBA STATUS: all of it is deallocated.
        Assert.Equal(Initiator.Hex("0000000000000000 00000800 01"), initiator.Send("9E 12 0000000000000000 00000100 00 00").Good().Data[8..21]);
    }

    [Theory]
    [InlineData("48 01 00 00 00 00 00 00 04 00", "01 00 0001", "InvalidFieldInCdb")]
    [InlineData("48 01 00 00 00 00 00 02 05 00", "01 00 0001", "InvalidFieldInCdb")]
    [InlineData("48 01 00 00 00 00 00 00 05 00", "00 00 0001 AA", "InvalidFieldInParameterList")]
    [InlineData("48 01 00 00 00 00 00 00 05 00", "01 00 0000 AA", "InvalidFieldInParameterList")]
    [InlineData("48 01 00 00 00 00 00 00 05 00", "01 00 0002 AA", "InvalidFieldInParameterList")]
    [InlineData("48 01 00 00 00 00 00 00 05 00", "21 00 0001 AA", "InvalidFieldInParameterList")] // TEST
    [InlineData("48 02 00 00 00 00 00 00 08 00", "00 00 0000 00000000", "InvalidFieldInCdb")]
    [InlineData("48 03 00 00 00 00 00 00 00 00", "", "InvalidFieldInCdb")] // CRYPTOGRAPHIC ERASE
    [InlineData("48 1F 00 00 00 00 00 00 08 00", "00 00 0000 00000000", "InvalidFieldInCdb")]
    public void Wrong_parameters_change_nothing(string cdb, string list, string sense)
    {
        var content = new byte[1 << 20];
        Array.Fill(content, (byte)7);
        var initiator = Initiator.Of(new MemoryDisk(content));
        initiator.Send(cdb, Initiator.Hex(list)).Refused(sense);
        Assert.Equal(7, initiator.Send("08 00 00 00 01 00").Good().Data[0]);
    }

    [Fact]
    public async Task Nothing_but_its_end_ends_an_operation()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var disk = new ScriptedDisk(1 << 20) { Gate = gate };
        var target = new TargetDevice("iqn.2026-01.test:target");
        target.Attach(0, new DiskUnit(disk, new UnitIdentity("volume")));
        var (one, two) = (new Initiator(target), new Initiator(target, "two"));
        one.Send(EraseAtOnce).Good();
        one.Manage(TaskManagementFunction.LogicalUnitReset);
        one.Close();

        two.Send("00 00 00 00 00 00").Refused(SenseCode.BusDeviceResetFunctionOccurred);
        foreach (var cdb in new[] { "00 00 00 00 00 00", "08 00 00 00 01 00", "1B 01 00 00 02 00", "5E 00 00 00 00 00 00 00 08 00", Erase, ExitFailure })
            two.Send(cdb).Refused(SenseCode.SanitizeInProgress);
        two.Send("12 00 00 00 FF 00").Good();
        Assert.Equal(Initiator.Hex("04 1B 00 80 0000"), two.Send("03 00 00 00 FF 00").Good().Data[12..]);

        gate.SetResult();
        await EndsAsync(two);
    }

    [Fact]
    public async Task Nothing_that_was_let_in_before_is_written_after()
    {
        var disk = new ScriptedDisk(1 << 20) { Gate = new TaskCompletionSource() };
        var initiator = Initiator.Of(disk);
        var (zeroes, ones) = (new byte[512], Enumerable.Repeat((byte)1, 512).ToArray());
        var begun = initiator.SendAsync(Initiator.Hex("89 00 0000000000000000 000000 01 00 00"), (byte[])[.. zeroes, .. ones]);
        var opened = disk.Gate;
        disk.Gate = null;
        var waiting = initiator.SendAsync(Initiator.Hex("2A 00 00 00 00 00 00 00 01 00"), ones);
        var erased = initiator.SendAsync(Initiator.Hex(Erase));
        initiator.Send("2A 00 00 00 00 01 00 00 01 00", ones).Refused(SenseCode.SanitizeInProgress);
        opened.SetResult();
        (await begun).Good();
        (await waiting).Refused(SenseCode.SanitizeInProgress);
        (await erased).Good();
        Assert.Equal(zeroes, initiator.Send("28 00 00 00 00 00 00 00 01 00").Good().Data);
    }

    [Fact]
    public async Task A_command_that_is_given_up_ends_and_its_operation_goes_on()
    {
        var disk = new ScriptedDisk(1 << 20);
        await disk.WriteAsync(0, Enumerable.Repeat((byte)7, 512).ToArray(), TestContext.Current.CancellationToken);
        disk.Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var target = new TargetDevice("iqn.2026-01.test:target");
        target.Attach(0, new DiskUnit(disk, new UnitIdentity("volume")));
        var task = new LentTask();
        task.Reset(Initiator.Hex(Erase));
        task.Nexus = target.OpenNexus("one", 1);
        var pending = target.ExecuteAsync(task);
        Assert.False(pending.IsCompleted);
        task.Abandon();
        await pending;
        var two = new Initiator(target, "two");
        two.Send("00 00 00 00 00 00").Refused(SenseCode.SanitizeInProgress);
        disk.Gate.SetResult();
        await EndsAsync(two);
        Assert.Equal(new byte[512], two.Send(ReadFirst).Good().Data);
    }

    [Fact]
    public void A_failure_is_reported_until_it_is_excused_or_made_good()
    {
        var disk = new ScriptedDisk(1 << 20) { Fails = BlockDeviceError.Io };
        var initiator = Initiator.Of(disk);
        initiator.Send(Erase).Refused(SenseCode.SanitizeCommandFailed);
        initiator.Send("08 00 00 00 01 00").Refused(SenseCode.SanitizeCommandFailed);
        initiator.Send(ExitFailure).Refused(SenseCode.InvalidFieldInCdb);
        disk.Fails = null;
        initiator.Send(Erase).Good();
        initiator.Send("08 00 00 00 01 00").Good();

        disk.Fails = BlockDeviceError.Io;
        initiator.Send("48 22 00 00 00 00 00 00 00 00").Refused(SenseCode.SanitizeCommandFailed);
        initiator.Send(ExitFailure).Good();
        disk.Fails = null;
        initiator.Send("08 00 00 00 01 00").Good();
    }

    /// <summary>Polls as a tool does, until the operation is over.</summary>
    private static async Task EndsAsync(Initiator initiator)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (initiator.Send("00 00 00 00 00 00") is { Status: ScsiStatus.CheckCondition } busy)
        {
            patience.Token.ThrowIfCancellationRequested();
            busy.Refused(SenseCode.SanitizeInProgress);
            await Task.Yield();
        }
    }
}
