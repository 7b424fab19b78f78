using Slipway.Disks;

namespace Slipway.Scsi.Tests;

/// <summary>FORMAT UNIT (SBC-3 §5.3).</summary>
public class FormatTests
{
    private const string Format = "04 00 00 00 00 00";
    private const string FormatWithList = "04 10 00 00 00 00";
    private const string FormatWithLongList = "04 30 00 00 00 00";
    private const string Ready = "00 00 00 00 00 00";
    private const string ReadFirst = "28 00 00 00 00 00 00 00 01 00";
    private const string ReadLast = "28 00 00 00 07 FF 00 00 01 00";
    private const string ReadCapacity = "25 00 00 00 00 00 00 00 00 00";

    private static MemoryDisk Written()
    {
        var content = new byte[1 << 20];
        Array.Fill(content, (byte)7);
        return new MemoryDisk(content);
    }

    [Theory]
    [InlineData("04 00 00 00 00 00", "")]
    [InlineData("04 2F 00 00 00 00", "")] // what describes a list, without one
    [InlineData("04 10 00 00 00 00", "00 00 0000")]
    [InlineData("04 1D 00 00 00 00", "00 F0 0000")] // FOV, DPRY, DCRT, STPF
    [InlineData("04 30 00 00 00 00", "00 A0 00 00 00000000")]
    [InlineData("04 10 00 00 00 00", "00 88 0000 00 00 0000")] // IP: the default pattern
    [InlineData("04 10 00 00 00 00", "00 88 0000 00 01 0002 0000")]
    public void A_format_leaves_zeroes_and_no_space(string cdb, string list)
    {
        var initiator = Initiator.Of(Written());
        var answer = initiator.Send(cdb, Initiator.Hex(list)).Good();
        Assert.Equal(Initiator.Hex(list).Length, answer.TransferLength);
        Assert.Equal(new byte[512], initiator.Send(ReadFirst).Good().Data);
        // GET LBA STATUS: all of it is deallocated.
        Assert.Equal(Initiator.Hex("0000000000000000 00000800 01"), initiator.Send("9E 12 0000000000000000 00000100 00 00").Good().Data[8..21]);
    }

    [Theory]
    [InlineData("04 10 00 00 00 00", "00 88 0000 00 01 0003 A1A2A3")]
    [InlineData("04 30 00 00 00 00", "00 88 00 00 00000000 00 01 0003 A1A2A3")]
    public void The_initialization_pattern_fills_every_block_from_its_beginning(string cdb, string list)
    {
        var initiator = Initiator.Of(Written());
        initiator.Send(cdb, Initiator.Hex(list)).Good();
        var first = initiator.Send(ReadFirst).Good().Data;
        Assert.Equal(Initiator.Hex("A1A2A3A1"), first[..4]);
        Assert.Equal(first, initiator.Send(ReadLast).Good().Data);
    }

    [Theory]
    [InlineData(FormatWithList, "01 00 0000", 0)] // PROTECTION FIELD USAGE
    [InlineData(FormatWithLongList, "00 00 00 10 00000000", 3)] // P_I_INFORMATION
    [InlineData(FormatWithLongList, "00 00 00 01 00000000", 3)] // PROTECTION INTERVAL EXPONENT
    [InlineData(FormatWithList, "00 20 0000", 1)] // an option without FOV
    [InlineData(FormatWithList, "00 08 0000 00 00 0000", 1)]
    [InlineData(FormatWithList, "00 01 0000", 1)] // vendor specific
    [InlineData(FormatWithList, "00 00 0008 0000000000000001", 2)] // a list of defects
    [InlineData(FormatWithLongList, "00 00 00 00 00000008 0000000000000001", 4)]
    [InlineData(FormatWithList, "00 88 0000 20 00 0000", 4)] // SI
    [InlineData(FormatWithList, "00 88 0000 00 02 0000", 5)]
    [InlineData(FormatWithList, "00 88 0000 00 00 0001 AA", 6)]
    [InlineData(FormatWithList, "00 88 0000 00 01 0000", 6)]
    [InlineData(FormatWithList, "00 88 0000 00 01 0201 AA", 6)] // longer than a block
    public void What_a_format_cannot_do_is_refused_and_nothing_is_lost(string cdb, string list, int field)
    {
        var initiator = Initiator.Of(Written());
        Assert.Equal(field, initiator.Send(cdb, Initiator.Hex(list)).Refused(SenseCode.InvalidFieldInParameterList).Field);
        Assert.Equal(7, initiator.Send(ReadFirst).Good().Data[0]);
    }

    [Theory]
    [InlineData(FormatWithList, "00 00 00")]
    [InlineData(FormatWithLongList, "00 00 00 00")]
    [InlineData(FormatWithList, "00 88 0000 00 01")]
    [InlineData(FormatWithList, "00 88 0000 00 01 0002 AA")]
    public void A_list_that_is_cut_changes_nothing(string cdb, string list)
    {
        var initiator = Initiator.Of(Written());
        initiator.Send(cdb, Initiator.Hex(list)).Refused(SenseCode.ParameterListLengthError);
        Assert.Equal(7, initiator.Send(ReadFirst).Good().Data[0]);
    }

    [Theory]
    [InlineData("04 40 00 00 00 00")] // FMTPINFO
    [InlineData("04 00 00 00 01 00")] // FFMT of SBC-4
    public void Protection_information_and_fast_formats_there_are_none(string cdb) =>
        Initiator.Of(Written()).Send(cdb).Refused(SenseCode.InvalidFieldInCdb);

    [Fact]
    public void A_disk_that_is_write_protected_is_not_formatted() =>
        Initiator.Of(Written(), writeProtected: true).Send(Format).Refused(SenseCode.WriteProtected);

    [Fact]
    public async Task A_format_in_the_background_tells_how_far_it_is_and_keeps_all_others_off()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var target = new TargetDevice("iqn.2026-01.test:target");
        target.Attach(0, new DiskUnit(new ScriptedDisk(1 << 20) { Gate = gate }, new UnitIdentity("volume")));
        var (one, two) = (new Initiator(target), new Initiator(target, "two"));
        one.Send(FormatWithList, Initiator.Hex("00 82 0000")).Good();
        one.Manage(TaskManagementFunction.LogicalUnitReset);
        one.Close();

        two.Send(Ready).Refused(SenseCode.BusDeviceResetFunctionOccurred);
        foreach (var cdb in new[] { Ready, ReadFirst, ReadCapacity, "1A 00 3F 00 FF 00", "5E 00 00 00 00 00 00 00 08 00", Format, "48 02 00 00 00 00 00 00 00 00", "48 1F 00 00 00 00 00 00 00 00" })
            two.Send(cdb).Refused(SenseCode.FormatInProgress);
        // SPC-4 §4.5.2.4.4: the progress, where tools that poll with TEST UNIT READY look for it too.
        Assert.Equal(Initiator.Hex("80 0000"), two.Send(Ready).Sense[15..]);
        Assert.Equal(Initiator.Hex("04 04 00 80 0000"), two.Send("03 00 00 00 FF 00").Good().Data[12..]);
        two.Send("12 00 00 00 FF 00").Good();
        two.Close();
        Assert.True(target.IsInUse);

        two = new Initiator(target, "two");
        gate.SetResult();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (two.Send(Ready) is { Status: ScsiStatus.CheckCondition } busy)
        {
            patience.Token.ThrowIfCancellationRequested();
            busy.Refused(SenseCode.FormatInProgress);
            await Task.Yield();
        }

        two.Close();
        Assert.False(target.IsInUse);
    }

    [Fact]
    public async Task Nothing_that_was_let_in_before_is_written_after()
    {
        var disk = new ScriptedDisk(1 << 20) { Gate = new TaskCompletionSource() };
        var initiator = Initiator.Of(disk);
        var ones = Enumerable.Repeat((byte)1, 512).ToArray();
        var begun = initiator.SendAsync(Initiator.Hex("2A 00 00 00 00 00 00 00 01 00"), ones);
        var opened = disk.Gate;
        disk.Gate = null;
        var formatted = initiator.SendAsync(Initiator.Hex(Format));
        initiator.Send("2A 00 00 00 00 01 00 00 01 00", ones).Refused(SenseCode.FormatInProgress);
        Assert.False(formatted.IsCompleted);
        opened.SetResult();
        (await begun).Good();
        (await formatted).Good();
        Assert.Equal(new byte[512], initiator.Send(ReadFirst).Good().Data);
    }

    [Fact]
    public void A_medium_whose_format_failed_is_unfit_until_one_succeeds()
    {
        var disk = new ScriptedDisk(1 << 20) { Fails = BlockDeviceError.Io };
        var initiator = Initiator.Of(disk);
        initiator.Send(Format).Refused(SenseCode.FormatCommandFailed);
        disk.Fails = null;
        initiator.Send(Ready).Refused(SenseCode.MediumFormatCorrupted);
        initiator.Send(ReadFirst).Refused(SenseCode.MediumFormatCorrupted);
        // What does not need the medium works: a tool that means to format again asks for mode pages first.
        initiator.Send("1A 00 3F 00 FF 00").Good();
        initiator.Send("48 1F 00 00 00 00 00 00 00 00").Good();
        initiator.Send(ReadFirst).Refused(SenseCode.MediumFormatCorrupted);
        initiator.Send(Format).Good();
        initiator.Send(ReadFirst).Good();

        disk.Fails = BlockDeviceError.Io;
        initiator.Send("48 02 00 00 00 00 00 00 00 00").Refused(SenseCode.SanitizeCommandFailed);
        disk.Fails = null;
        // SBC-3 §4.11.3: a format is no excuse for what should have been sanitized.
        initiator.Send(Format).Refused(SenseCode.SanitizeCommandFailed);
    }
}
