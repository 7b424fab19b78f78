using System.Buffers.Binary;
using Slipway.Disks;

namespace Slipway.Scsi.Tests;

public sealed class CdRomTests
{
    private const string Ready = "00 00 00 00 00 00";
    private const string Eject = "1B 00 00 00 02 00";
    private const string Load = "1B 00 00 00 03 00";
    private const int Blocks = 1000;

    private readonly TargetDevice _target = new("iqn.2026-01.test:target");
    private readonly Initiator _one;
    private readonly Initiator _two;

    public CdRomTests()
    {
        var content = new byte[Blocks * 2048 + 512];
        new Random(1).NextBytes(content);
        Content = content;
        _target.Attach(0, new CdRomUnit(new MemoryDisk(content), new UnitIdentity("image", "CD-ROM")));
        _target.Attach(1, new CdRomUnit(new MemoryDisk(4L << 30), new UnitIdentity("large", "DVD-ROM")));
        (_one, _two) = (new Initiator(_target), new Initiator(_target, "two"));
    }

    private byte[] Content { get; }

    [Fact]
    public void Inquiry_names_a_multimedia_device_with_a_removable_medium()
    {
        var data = _one.Send("12 00 00 00 FF 00").Good().Data;
        Assert.Equal((0x05, 0x80, 0), (data[0], data[1], data[5]));
        Assert.Equal(Initiator.Hex("00A0 0460 04E0 0960"), data[58..66]);
        Assert.Equal(Initiator.Hex("05 00 0004 00 80 83 86"), _one.Send("12 01 00 00 FF 00").Good().Data);
        Assert.Equal(0x05, _one.Send("12 01 83 00 FF 00").Good().Data[0]);
        _one.Send("12 01 B0 00 FF 00").Refused(SenseCode.InvalidFieldInCdb);
    }

    [Theory]
    [InlineData("28 00 00 00 03 E6 00 00 02 00")]
    [InlineData("A8 00 00 00 03 E6 00 00 00 02 80 00")]
    [InlineData("BE 00 00 00 03 E6 00 00 02 10 00 00")]
    [InlineData("BE 08 00 00 03 E6 00 00 02 10 00 00")]
    [InlineData("B9 00 00 00 0F 17 00 0F 19 10 00 00")] // blocks 998 and 999, 15 seconds and 23 frames on
    public void Blocks_of_2048_bytes_are_read(string cdb)
    {
        Assert.Equal(Initiator.Hex("000003E7 00000800"), _one.Send("25 00 00 00 00 00 00 00 00 00").Good().Data);
        Assert.Equal(Content[(998 * 2048)..(1000 * 2048)], _one.Send(cdb).Good().Data);
    }

    // A disc of 1000 blocks, 3E8h: 1150 frames with the pre-gap are 0 minutes, 15 seconds and 25 frames.
    [Theory]
    [InlineData("43 00 00 00 00 00 00 00 FF 00", "0012 01 01 00 14 01 00 00000000 00 14 AA 00 000003E8")]
    [InlineData("43 02 00 00 00 00 01 00 FF 00", "0012 01 01 00 14 01 00 00000200 00 14 AA 00 00000F19")]
    [InlineData("43 00 00 00 00 00 AA 00 FF 00", "000A 01 01 00 14 AA 00 000003E8")]
    [InlineData("43 00 00 00 00 00 00 00 04 00", "0012 01 01")]
    [InlineData("43 00 01 00 00 00 00 00 FF 00", "000A 01 01 00 14 01 00 00000000")]
    [InlineData("43 00 00 00 00 00 00 00 FF 40", "000A 01 01 00 14 01 00 00000000")]
    [InlineData(
        "43 02 02 00 00 00 01 00 FF 00",
        "002E 01 01 0114 00 A0 000000 00 010000 0114 00 A1 000000 00 010000 0114 00 A2 000000 00 000F19 0114 00 01 000000 00 000200")]
    [InlineData("51 00 00 00 00 00 00 00 FF 00", "0020 0E 01 01 01 01 20 00000000 00000000 FFFFFFFF FFFFFFFF 0000000000000000 0000")]
    [InlineData("52 01 00 00 00 01 00 00 FF 00", "0022 01 01 00 04 01 00 00000000 00000000 00000000 00000000 000003E8 00000000 00000000")]
    [InlineData("52 00 00 00 03 E7 00 00 04 00", "0022 01 01")]
    [InlineData("52 02 00 00 00 01 00 00 04 00", "0022 01 01")]
    [InlineData("BD 00 00 00 00 00 00 00 00 08 00 00", "0000000000000000")]
    [InlineData("4A 01 00 00 10 00 00 00 FF 00", "0006 04 56 00 02 00 00")]
    [InlineData("4A 01 00 00 02 00 00 00 FF 00", "0006 01 56 00 00 00 00")]
    [InlineData("4A 01 00 00 0C 00 00 00 FF 00", "0006 02 56 00 01 00 00")]
    [InlineData("4A 01 00 00 08 00 00 00 FF 00", "0002 80 56")]
    [InlineData("46 02 00 00 00 00 00 00 FF 00", "00000010 0000 0008 0000 03 08 0010 00 00 0008 01 00")]
    [InlineData("46 02 00 10 00 00 00 00 FF 00", "00000010 0000 0008 0010 01 08 00000800 0001 00 00")]
    [InlineData("46 02 FF FF 00 00 00 00 FF 00", "00000004 0000 0008")]
    [InlineData("46 01 00 1D 00 00 00 00 FF 00", "00000018 0000 0008 001D 01 00 001E 09 04 00000000 0100 03 00 0105 03 00")]
    [InlineData("1A 00 2A 00 FF 00", "1B 00 00 00 2A 16 0B 00 00 00 29 00 1B90 0000 0400 1B90 00 00 0000 0000 0000")]
    [InlineData("5A 00 01 00 00 00 00 00 FF 00", "0012 00 00 00 00 0000 01 0A 00 00 00000000 00000000")]
    [InlineData("1A 00 1A 00 FF 00", "0F 00 00 00 1A 0A 00 00 00000000 00000000")]
    [InlineData("1A 00 1D 00 FF 00", "0D 00 00 00 1D 08 0000 00 00 0000 0000")]
    [InlineData("12 01 86 00 08 00", "05 86 003C 00 07 00 00")] // no volatile cache
    [InlineData("2B 00 00 00 03 E7 00 00 00 00", "")]
    [InlineData("BB 00 FF FF FF FF 00 00 00 00 00 00", "")]
    [InlineData("BE 00 00 00 00 00 00 00 01 00 00 00", "")]
    public void What_a_disc_is_like_is_told(string cdb, string data) =>
        Assert.Equal(Initiator.Hex(data), _one.Send(cdb).Good().Data);

    [Fact]
    public void A_large_image_is_a_dvd()
    {
        var all = _one.Send("46 00 00 00 00 00 00 00 FF 00", lun: 1).Good().Data;
        Assert.Equal((all.Length - 4, 0x10), (BinaryPrimitives.ReadInt32BigEndian(all), all[7]));
        Assert.Equal(Initiator.Hex("00 10 01 00 00 08 00 00"), all[12..20]);
        var layout = _one.Send("AD 00 00 00 00 00 00 00 08 04 00 00", lun: 1).Good().Data;
        Assert.Equal(Initiator.Hex("0802 0000 01 0F 01 00 00030000 0022FFFF"), layout[..16]);
        Assert.Equal(Initiator.Hex("0006 0000 00000000"), _one.Send("AD 00 00 00 00 00 00 01 00 FF 00 00", lun: 1).Good().Data);
        Assert.Equal(Initiator.Hex("000A 0000 00 40 0804 01 40 0008"), _one.Send("AD 00 00 00 00 00 00 FF 00 FF 00 00", lun: 1).Good().Data);
        Assert.Equal(Initiator.Hex("FF 3B 4A"), _one.Send("43 02 00 00 00 00 AA 00 FF 00", lun: 1).Good().Data[9..12]);
    }

    [Theory]
    [InlineData("2A 00 00 00 00 00 00 00 01 00", "InvalidCommandOperationCode", null)]
    [InlineData("AA 00 00 00 00 00 00 00 00 01 00 00", "InvalidCommandOperationCode", null)]
    [InlineData("42 00 00 00 00 00 00 00 18 00", "InvalidCommandOperationCode", null)]
    [InlineData("04 00 00 00 00 00", "InvalidCommandOperationCode", null)]
    [InlineData("28 00 00 00 03 E8 00 00 01 00", "LogicalBlockAddressOutOfRange", null)]
    [InlineData("2B 00 00 00 03 E8 00 00 00 00", "LogicalBlockAddressOutOfRange", null)]
    [InlineData("BE 00 00 00 03 E7 00 00 02 10 00 00", "LogicalBlockAddressOutOfRange", null)]
    [InlineData("BE 04 00 00 00 00 00 00 01 10 00 00", "IllegalModeForThisTrack", null)] // CD-DA
    [InlineData("BE 00 00 00 00 00 00 00 01 F8 00 00", "InvalidFieldInCdb", 9)]
    [InlineData("BE 00 00 00 00 00 00 00 01 10 01 00", "InvalidFieldInCdb", 10)]
    [InlineData("B9 00 00 00 0F 17 00 0F 1A 10 00 00", "LogicalBlockAddressOutOfRange", null)]
    [InlineData("B9 00 00 00 01 4A 00 02 00 10 00 00", "InvalidFieldInCdb", 3)] // in the pre-gap
    [InlineData("B9 00 00 00 03 4B 00 04 00 10 00 00", "InvalidFieldInCdb", 3)] // frame 75
    [InlineData("B9 00 00 00 04 00 00 03 00 10 00 00", "InvalidFieldInCdb", 6)] // ends before it begins
    [InlineData("43 00 00 00 00 00 02 00 FF 00", "InvalidFieldInCdb", 6)]
    [InlineData("43 00 02 00 00 00 02 00 FF 00", "InvalidFieldInCdb", 6)]
    [InlineData("43 00 04 00 00 00 00 00 FF 00", "InvalidFieldInCdb", 2)] // ATIP
    [InlineData("43 00 05 00 00 00 00 00 FF 00", "InvalidFieldInCdb", 2)] // CD-Text
    [InlineData("46 03 00 00 00 00 00 00 FF 00", "InvalidFieldInCdb", 1)]
    [InlineData("4A 00 00 00 10 00 00 00 FF 00", "InvalidFieldInCdb", 1)] // asynchronous
    [InlineData("51 01 00 00 00 00 00 00 FF 00", "InvalidFieldInCdb", 1)]
    [InlineData("52 00 00 00 03 E8 00 00 FF 00", "LogicalBlockAddressOutOfRange", null)] // the lead-out
    [InlineData("52 01 00 00 00 AA 00 00 FF 00", "InvalidFieldInCdb", 2)]
    [InlineData("52 01 00 00 00 00 00 00 FF 00", "InvalidFieldInCdb", 2)] // the lead-in
    [InlineData("52 01 00 00 00 FF 00 00 FF 00", "InvalidFieldInCdb", 2)] // the invisible track
    [InlineData("52 02 00 00 00 02 00 00 FF 00", "InvalidFieldInCdb", 2)]
    [InlineData("52 03 00 00 00 01 00 00 FF 00", "InvalidFieldInCdb", 1)]
    [InlineData("AD 00 00 00 00 00 00 00 00 FF 00 00", "CannotReadMediumIncompatibleFormat", null)]
    [InlineData("1E 00 00 00 02 00", "InvalidFieldInCdb", 4)]
    public void A_command_is_refused(string cdb, string sense, int? field)
    {
        var answer = _one.Send(cdb, new byte[2048]).Refused(sense);
        Assert.Equal(field, answer.Field);
    }

    [Theory]
    [InlineData(Ready)]
    [InlineData("25 00 00 00 00 00 00 00 00 00")]
    [InlineData("28 00 00 00 00 00 00 00 01 00")]
    [InlineData("43 00 00 00 00 00 00 00 FF 00")]
    [InlineData("51 00 00 00 00 00 00 00 FF 00")]
    [InlineData("52 01 00 00 00 01 00 00 FF 00")]
    [InlineData("1B 00 00 00 01 00")]
    public void With_its_tray_open_the_drive_is_not_ready(string cdb)
    {
        _one.Send(Eject).Good();
        _one.Send(cdb).Refused(SenseCode.MediumNotPresentTrayOpen);
        Assert.Equal(0x10, _one.Send("BD 00 00 00 00 00 00 00 00 08 00 00").Good().Data[1]);
        Assert.Equal(0, _one.Send("46 00 00 00 00 00 00 00 FF 00").Good().Data[7]);
        _one.Send(Load).Good();
        _one.Send(Ready).Good();
    }

    [Fact]
    public void Each_host_learns_of_each_move_once()
    {
        Assert.Equal((0, 2), Media(_one));
        _two.Send(Eject).Good();
        Assert.Equal((3, 1), Media(_one));
        Assert.Equal((0, 1), Media(_one));
        _two.Send(Load).Good();

        // A unit attention does not hide it, and is not hidden by it.
        Assert.Equal((2, 2), Media(_one));
        Assert.Equal((0, 2), Media(_one));
        _one.Send(Ready).Refused(SenseCode.MediumMayHaveChanged);
        Assert.Equal((2, 2), Media(_two));
        _one.Send(Ready).Good();
    }

    [Fact]
    public void A_locked_door_keeps_the_disc_in_and_lets_it_come_in()
    {
        _one.Send("1E 00 00 00 01 00").Good();
        Assert.Equal(0x2B, _one.Send("1A 00 2A 00 FF 00").Good().Data[10]);
        _two.Send(Eject).Refused(SenseCode.MediumRemovalPrevented);
        _one.Send("1E 00 00 00 00 00").Good();
        Assert.Equal(0x29, _one.Send("1A 00 2A 00 FF 00").Good().Data[10]);
        _two.Send(Eject).Good();
        _one.Send("1E 00 00 00 01 00").Good();
        _one.Send(Load).Good();
        _one.Send(Ready).Good();
    }

    [Fact]
    public void An_image_shorter_than_a_block_is_no_disc() =>
        Assert.Throws<ArgumentException>(() => new CdRomUnit(new MemoryDisk(1024), new UnitIdentity("short")));

    private static (int Event, int State) Media(Initiator initiator)
    {
        var data = initiator.Send("4A 01 00 00 10 00 00 00 08 00").Good().Data;
        return (data[4], data[5]);
    }
}
