using Slipway.Disks;

namespace Slipway.Scsi.Tests;

/// <summary>For each command, what it refuses, with which sense and, where a field of the CDB is wrong, which one.</summary>
public class RefusalTests
{
    private const string Range = "LogicalBlockAddressOutOfRange";
    private const string Field = "InvalidFieldInCdb";

    // A disk of 2048 blocks (800h), one LUN.
    [Theory]
    [InlineData("FF 00 00 00 00 00", "InvalidCommandOperationCode", null)]
    [InlineData("00 00 00 00 00 04", Field, 5)] // NACA
    [InlineData("00 01 00 00 00 00", Field, 1)]
    [InlineData("12 02 00 00 FF 00", Field, 1)] // CMDDT
    [InlineData("12 00 80 00 FF 00", Field, 2)] // a page without EVPD
    [InlineData("12 01 C0 00 FF 00", Field, 2)]
    [InlineData("A0 00 03 00 00 00 00 00 00 10 00 00", Field, 2)]
    [InlineData("A0 00 00 00 00 00 00 00 00 0F 00 00", Field, 6)]
    [InlineData("08 00 08 00 01 00", Range, null)]
    [InlineData("08 00 07 01 00 00", Range, null)] // 256 blocks
    [InlineData("28 00 00 00 08 00 00 00 01 00", Range, null)]
    [InlineData("28 00 00 00 07 FF 00 00 02 00", Range, null)]
    [InlineData("28 00 00 00 08 01 00 00 00 00", Range, null)]
    [InlineData("28 20 00 00 00 00 00 00 01 00", Field, 1)] // RDPROTECT
    [InlineData("28 00 00 00 00 00 20 00 01 00", Field, 6)] // beside GROUP NUMBER
    [InlineData("A8 00 FF FF FF FF 00 00 00 01 00 00", Range, null)]
    [InlineData("88 00 FF FF FF FF FF FF FF FF 00 00 00 01 00 00", Range, null)]
    [InlineData("88 00 00 00 00 00 00 00 07 FF FF FF FF FF 00 00", Range, null)]
    [InlineData("0A 00 08 00 01 00", Range, null)]
    [InlineData("2A 00 00 00 08 00 00 00 01 00", Range, null)]
    [InlineData("2A E0 00 00 00 00 00 00 01 00", Field, 1)] // WRPROTECT
    [InlineData("AA 00 00 00 08 00 00 00 00 01 00 00", Range, null)]
    [InlineData("8A 00 00 00 00 01 00 00 00 00 00 00 00 01 00 00", Range, null)]
    [InlineData("25 00 00 00 00 01 00 00 00 00", Field, 5)]
    [InlineData("9E 1E 00 00 00 00 00 00 00 00 00 00 00 20 00 00", Field, 1)] // no such service action
    [InlineData("9E 12 00 00 00 00 00 00 08 00 00 00 00 20 00 00", Range, null)]
    [InlineData("35 00 00 00 08 00 00 00 01 00", Range, null)]
    [InlineData("91 00 00 00 00 00 00 00 08 00 00 00 00 01 00 00", Range, null)]
    [InlineData("2F 00 00 00 08 00 00 00 01 00", Range, null)]
    [InlineData("2F 04 00 00 00 00 00 00 01 00", Field, 1)] // BYTCHK 10b
    [InlineData("2F 02 00 00 00 00 00 00 01 00", Field, 7)] // and no data came
    [InlineData("8F 02 00 00 00 00 00 00 00 00 00 00 00 01 00 00", Field, 10)]
    [InlineData("41 10 00 00 00 00 00 00 01 00", Field, 1)] // ANCHOR
    [InlineData("41 00 00 00 00 00 00 00 01 00", Field, 7)] // no block came
    [InlineData("93 01 00 00 00 00 00 00 08 01 00 00 00 00 00 00", Range, null)]
    [InlineData("93 01 00 00 00 00 00 00 00 00 00 00 08 01 00 00", Range, null)]
    [InlineData("41 00 00 00 00 00 00 00 00 00", Field, 7)] // to the end: WSNZ
    [InlineData("93 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00", Field, 10)]
    [InlineData("42 01 00 00 00 00 00 00 18 00", Field, 1)] // ANCHOR
    [InlineData("42 00 00 00 00 00 00 00 18 00", "ParameterListLengthError", null)]
    [InlineData("42 00 00 00 00 00 00 00 04 00", "ParameterListLengthError", null)]
    [InlineData("1A 00 FF 00 FF 00", "SavingParametersNotSupported", null)]
    [InlineData("1A 00 3E 00 FF 00", Field, 2)]
    [InlineData("1A 00 3F 01 FF 00", Field, 3)]
    [InlineData("5A 00 C8 00 00 00 00 00 FF 00", "SavingParametersNotSupported", null)]
    [InlineData("5A 00 08 02 00 00 00 00 FF 00", Field, 3)]
    [InlineData("1B 00 00 00 02 00", Field, 4)] // LOEJ
    public void A_command_is_refused(string cdb, string sense, int? field)
    {
        var answer = Initiator.Of(new MemoryDisk(1 << 20)).Send(cdb);
        answer.Refused(sense);
        Assert.Equal(field, answer.Field);
    }

    [Theory]
    [InlineData("0A 00 00 00 01 00")]
    [InlineData("2A 00 00 00 00 00 00 00 01 00")]
    [InlineData("AA 00 00 00 00 00 00 00 00 01 00 00")]
    [InlineData("8A 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00")]
    [InlineData("41 00 00 00 00 00 00 00 01 00")]
    [InlineData("93 09 00 00 00 00 00 00 00 00 00 00 00 01 00 00")]
    [InlineData("42 00 00 00 00 00 00 00 18 00")]
    public void A_write_protected_unit_takes_no_writes(string cdb)
    {
        var content = new byte[1 << 20];
        content[0] = 1;
        var disk = new MemoryDisk(content);
        Initiator.Of(disk, writeProtected: true).Send(cdb, new byte[512]).Refused(SenseCode.WriteProtected);
        Initiator.Of(new MemoryDisk(1 << 20) { IsReadOnly = true }).Send(cdb, new byte[512]).Refused(SenseCode.WriteProtected);
        Assert.Equal(1, Initiator.Of(disk).Send("08 00 00 00 01 00").Good().Data[0]);
    }

    [Theory]
    [InlineData("28 00 00 00 00 00 00 FF FF 00")]
    [InlineData("88 00 00 00 00 00 00 00 00 00 00 00 80 01 00 00")]
    [InlineData("8A 00 00 00 00 00 00 00 00 00 00 00 80 01 00 00")]
    [InlineData("8F 00 00 00 00 00 00 00 00 00 00 00 80 01 00 00")]
    public void No_command_moves_more_than_the_block_limits_page_promises(string cdb)
    {
        // 32 MiB in blocks of 1024 is 8000h.
        Initiator.Of(new MemoryDisk(1L << 40), 1024).Send(cdb).Refused(SenseCode.InvalidFieldInCdb);
    }

    [Fact]
    public void Unmap_refuses_a_list_as_a_whole()
    {
        var content = new byte[1 << 20];
        Array.Fill(content, (byte)7);
        var initiator = Initiator.Of(new MemoryDisk(content));
        var list = Initiator.Hex("0026 0020 00000000 0000000000000000 00000008 00000000 00000000000007FF 00000002 00000000");
        initiator.Send("42 00 00 00 00 00 00 00 28 00", list).Refused(SenseCode.LogicalBlockAddressOutOfRange);
        Assert.Equal(content[..512], initiator.Send("08 00 00 00 01 00").Good().Data);
    }

    [Fact]
    public void Unmap_takes_as_many_blocks_as_its_descriptors_can_say()
    {
        // The MAXIMUM UNMAP LBA COUNT of FFFFFFFFh is no limit (SBC-3 §6.6.3). The medium fails: so many blocks would take their time.
        var initiator = Initiator.Of(new ScriptedDisk(4L << 40) { Fails = BlockDeviceError.Io });
        Assert.Equal(Initiator.Hex("FFFFFFFF"), initiator.Send("12 01 B0 00 40 00").Good().Data[20..24]);
        var list = Initiator.Hex("0026 0020 00000000 0000000000000000 FFFFFFFF 00000000 0000000100000000 00000001 00000000");
        initiator.Send("42 00 00 00 00 00 00 00 28 00", list).Refused(SenseCode.WriteError);
    }

    [Fact]
    public void An_absent_unit_says_so()
    {
        var initiator = Initiator.Of(new MemoryDisk(1 << 20));
        Assert.Equal(0x7F, initiator.Send("12 00 00 00 FF 00", lun: 3).Good().Data[0]);
        initiator.Send("12 01 83 00 FF 00", lun: 3).Refused(SenseCode.LogicalUnitNotSupported);
        initiator.Send("00 00 00 00 00 00", lun: 3).Refused(SenseCode.LogicalUnitNotSupported);
        initiator.Send("28 00 00 00 00 00 00 00 01 00", lun: 3).Refused(SenseCode.LogicalUnitNotSupported);
        initiator.Send("FF 00 00 00 00 00", lun: 0x8000).Refused(SenseCode.LogicalUnitNotSupported);
        Assert.Equal(0x25, initiator.Send("03 00 00 00 FF 00", lun: 3).Good().Data[12]);
        Assert.Equal(8, initiator.Send("A0 00 00 00 00 00 00 00 00 20 00 00", lun: 3).Good().Data[3]);
        Assert.Equal(TaskManagementResponse.LunDoesNotExist, initiator.Manage(TaskManagementFunction.LogicalUnitReset, 3));
    }
}
