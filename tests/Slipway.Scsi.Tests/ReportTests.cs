using System.Buffers.Binary;
using Slipway.Disks;

namespace Slipway.Scsi.Tests;

public class ReportTests
{
    private readonly Initiator _initiator = Initiator.Of(new MemoryDisk(1 << 20));

    [Fact]
    public void Each_command_that_is_listed_can_be_asked_for_and_is_known()
    {
        var all = _initiator.Send("A3 0C 00 00 00 00 00 00 40 00 00 00").Good().Data;
        Assert.Equal(all.Length - 4, BinaryPrimitives.ReadInt32BigEndian(all));
        foreach (var each in all[4..].Chunk(8))
        {
            var (code, action, hasAction) = (each[0], each[3], (each[5] & 1) != 0);
            var one = _initiator.Send($"A3 0C {(hasAction ? 2 : 1):X2} {code:X2} 00 {action:X2} 00 00 01 00 00 00").Good().Data;
            Assert.Equal((3, each[7]), (one[1], one[3]));
            Assert.Equal(code, one[4]);
            Assert.Equal(_initiator.Send($"A3 0C 03 {code:X2} 00 {action:X2} 00 00 01 00 00 00").Good().Data, one);
            _initiator.Send($"A3 0C {(hasAction ? 1 : 2):X2} {code:X2} 00 {action:X2} 00 00 01 00 00 00").Refused(SenseCode.InvalidFieldInCdb);

            // With every bit set that the usage map calls unused, the command is refused for its first of them.
            var cdb = one[4..].Select((usage, i) => (byte)(i == 0 ? usage : i == 1 && hasAction ? action | (~usage & 0xE0) : ~usage)).ToArray();
            _initiator.Send(cdb).Refused(SenseCode.InvalidFieldInCdb);
        }
    }

    [Fact]
    public void Timeouts_and_unknown_commands_have_their_forms()
    {
        var one = _initiator.Send("A3 0C 81 28 00 00 00 00 01 00 00 00").Good().Data;
        Assert.Equal((0x83, 4 + 10 + 12, 10), (one[1], one.Length, one[15]));
        var all = _initiator.Send("A3 0C 80 00 00 00 00 00 40 00 00 00").Good().Data;
        Assert.Equal(0, (all.Length - 4) % 20);
        Assert.Equal(Initiator.Hex("00010000"), _initiator.Send("A3 0C 01 FF 00 00 00 00 01 00 00 00").Good().Data);
        Assert.Equal(Initiator.Hex("00010000"), _initiator.Send("A3 0C 02 9E 00 1F 00 00 01 00 00 00").Good().Data);
        _initiator.Send("A3 0C 04 00 00 00 00 00 01 00 00 00").Refused(SenseCode.InvalidFieldInCdb);
    }

    [Fact]
    public void Task_management_and_logs_are_reported()
    {
        Assert.Equal(Initiator.Hex("DA000000"), _initiator.Send("A3 0D 00 00 00 00 00 00 00 10 00 00").Good().Data);
        Assert.Equal(16, _initiator.Send("A3 0D 80 00 00 00 00 00 00 10 00 00").Good().Data.Length);
        _initiator.Send("A3 0D 00 00 00 00 00 00 00 03 00 00").Refused(SenseCode.InvalidFieldInCdb);

        Assert.Equal(Initiator.Hex("00000002 002F"), _initiator.Send("4D 00 40 00 00 00 00 00 FF 00").Good().Data);
        Assert.Equal(Initiator.Hex("2F000008 0000 03 04 0000FF00"), _initiator.Send("4D 00 6F 00 00 00 00 00 FF 00").Good().Data);
        Assert.Equal(Initiator.Hex("40FF0006 0000 00FF 2F00"), _initiator.Send("4D 00 40 FF 00 00 00 00 FF 00").Good().Data);
    }

    [Theory]
    [InlineData("4D 00 42 00 00 00 00 00 FF 00", 2)] // no such page
    [InlineData("4D 00 42 FF 00 00 00 00 FF 00", 2)]
    [InlineData("4D 00 40 01 00 00 00 00 FF 00", 3)] // no such subpage
    [InlineData("4D 00 6F FF 00 00 00 00 FF 00", 3)]
    [InlineData("4D 00 80 00 00 00 00 00 FF 00", 2)] // default thresholds
    [InlineData("4D 01 40 00 00 00 00 00 FF 00", 1)] // SP
    [InlineData("4D 00 6F 00 00 00 01 00 FF 00", 6)] // a parameter behind the last
    public void Other_logs_there_are_none(string cdb, int field) =>
        Assert.Equal(field, _initiator.Send(cdb).Refused(SenseCode.InvalidFieldInCdb).Field);

    [Theory]
    [InlineData("1D 00 00 00 00 00", "", null)]
    [InlineData("1D 04 00 00 00 00", "", null)]
    [InlineData("1D A0 00 00 00 00", "", null)]
    [InlineData("1D C3 00 00 00 00", "", null)]
    [InlineData("1D 10 00 00 04 00", "00000000", null)]
    [InlineData("1D 24 00 00 00 00", "", "InvalidFieldInCdb")] // SELFTEST and a code
    [InlineData("1D 20 00 00 00 00", "", "InvalidFieldInCdb")] // in the background
    [InlineData("1D 00 00 00 04 00", "00000000", "InvalidFieldInCdb")]
    [InlineData("1D 10 00 00 03 00", "000000", "ParameterListLengthError")]
    [InlineData("1D 10 00 00 04 00", "0000", "ParameterListLengthError")]
    [InlineData("1D 10 00 00 04 00", "40000000", "InvalidFieldInParameterList")]
    [InlineData("1D 10 00 00 05 00", "0000000100", "InvalidFieldInParameterList")]
    [InlineData("1C 01 3F 00 FF 00", "", "InvalidFieldInCdb")]
    public void Self_tests_in_the_foreground_pass_and_the_one_diagnostic_page_is_the_list(string cdb, string data, string? sense)
    {
        var answer = _initiator.Send(cdb, Initiator.Hex(data));
        if (sense is null)
            answer.Good();
        else
            answer.Refused(sense);
        Assert.Equal(Initiator.Hex("00000001 00"), _initiator.Send("1C 01 00 00 FF 00").Good().Data);
        Assert.Equal(Initiator.Hex("00000001"), _initiator.Send("1C 00 00 00 04 00").Good().Data);
    }

    [Fact]
    public void There_is_one_port_group_and_every_path_of_it_is_optimized()
    {
        var port = new TargetDevice("iqn.2026-01.test:target", ports: 2);
        port.Attach(0, new DiskUnit(new MemoryDisk(1 << 20), new UnitIdentity("volume")));
        var initiator = new Initiator(port, port: 2);
        const string group = "00010001 00000002 00000001 00000002";
        Assert.Equal(Initiator.Hex("00000010" + group), initiator.Send("A3 0A 00 00 00 00 00 00 01 00 00 00").Good().Data);
        Assert.Equal(Initiator.Hex("00000014 10000000" + group), initiator.Send("A3 2A 00 00 00 00 00 00 01 00 00 00").Good().Data);
        Assert.Equal(Initiator.Hex("00000010 0001"), initiator.Send("A3 0A 00 00 00 00 00 00 00 06 00 00").Good().Data);
        initiator.Send("A3 4A 00 00 00 00 00 00 01 00 00 00").Refused(SenseCode.InvalidFieldInCdb);

        // MULTIP.
        Assert.Equal(0x10, initiator.Send("12 00 00 00 FF 00").Good().Data[6]);
        Assert.Equal(0, _initiator.Send("12 00 00 00 FF 00").Good().Data[6]);

        // TPGS 01b: states may change by themselves only, so SET TARGET PORT GROUPS is no command of this unit.
        Assert.Equal(0x10, initiator.Send("12 00 00 00 FF 00").Good().Data[5] & 0x30);
        initiator.Send("A4 0A 00 00 00 00 00 00 00 00 00 00").Refused(SenseCode.InvalidCommandOperationCode);
        var identification = initiator.Send("12 01 83 04 00 00").Good().Data;
        Assert.True(identification.AsSpan().IndexOf(Initiator.Hex("51950004 00000001")) > 0);
        Assert.True(identification.AsSpan().IndexOf(Initiator.Hex("51940004 00000002")) > 0);
    }
}
