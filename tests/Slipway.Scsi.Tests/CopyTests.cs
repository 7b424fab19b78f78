using System.Buffers.Binary;
using Slipway.Disks;

namespace Slipway.Scsi.Tests;

public class CopyTests
{
    private readonly TargetDevice _target = new("iqn.2026-01.test:target");
    private readonly UnitIdentity[] _identities = [new("volume-0"), new("volume-1")];
    private readonly Initiator _one;

    public CopyTests()
    {
        var content = new byte[1 << 20];
        new Random(1).NextBytes(content);
        _target.Attach(0, new DiskUnit(new MemoryDisk(content), _identities[0]));
        _target.Attach(1, new DiskUnit(new MemoryDisk(1 << 20), _identities[1], 4096));
        _one = new Initiator(_target);
    }

    [Fact]
    public void Blocks_are_copied_between_units_of_different_block_lengths_and_the_result_is_told_once()
    {
        Send(List(7, Segment(0, 1, 16, 8, 3))).Good();
        Assert.Equal(Read(0, 8, 16), _one.Send("28 00 00 00 00 03 00 00 02 00", lun: 1).Good().Data);

        var status = _one.Send("84 00 07 00 00 00 00 00 00 00 00 00 01 00 00 00").Good().Data;
        Assert.Equal(Initiator.Hex("00000008 01 0001 00 00002000"), status);
        _one.Send("84 00 07 00 00 00 00 00 00 00 00 00 01 00 00 00").Refused(SenseCode.InvalidFieldInCdb);
        new Initiator(_target, "two").Send("84 00 07 00 00 00 00 00 00 00 00 00 01 00 00 00").Refused(SenseCode.InvalidFieldInCdb);
    }

    [Fact]
    public void A_copy_without_failure_has_no_details_and_no_held_data()
    {
        Receive(1, 7).Refused(SenseCode.InvalidFieldInCdb);
        Receive(4, 7).Refused(SenseCode.InvalidFieldInCdb);
        Send(List(7, Segment(0, 1, 16, 8, 3))).Good();
        Assert.Equal(new byte[4], Receive(1, 7).Good().Data);
        Assert.Equal(new byte[4], Receive(4, 7).Good().Data);
        // One byte too few for the status: it is kept.
        Assert.Equal(11, Receive(0, 7, 11).Good().Data.Length);
        Receive(0, 7).Good();
        Receive(4, 7).Refused(SenseCode.InvalidFieldInCdb);

        // LIST ID USAGE 10b: nothing is kept of what went well.
        Send(With(List(8, Segment(0, 1, 16, 8, 3)), 1, 0x10)).Good();
        Receive(0, 8).Refused(SenseCode.InvalidFieldInCdb);
    }

    /// <summary>SPC-4 §5.17.7.4: whose failure it was, in which segment, and what was left of it.</summary>
    [Theory]
    [InlineData(true, "70000A 00000000 1D 0000 0001 0D01 00 80 0010", "02 700003 00000000 0A 00000000 1100 00 000000", 0x12)]
    [InlineData(false, "F0000A 00000200 1D 0000 0001 0D01 00 80 0030", "02 700003 00000000 0A 00000000 0C00 00 000000", 0x12)]
    public void A_segment_that_fails_is_told_with_the_units_own_sense(bool ofSource, string own, string forwarded, byte pointer)
    {
        var (source, destination) = (new ScriptedDisk(4 << 20), new ScriptedDisk(4 << 20));
        var target = new TargetDevice("iqn.2026-01.test:target");
        target.Attach(0, new DiskUnit(source, _identities[0]));
        target.Attach(1, new DiskUnit(destination, _identities[1], 4096));
        var one = new Initiator(target);
        // The second segment has three MiB. Its source fails in the first of them, its destination in the second.
        var faulty = ofSource ? source : destination;
        (faulty.Fails, faulty.FailsFrom) = (BlockDeviceError.Io, ofSource ? 16 * 512 : 1 << 20);
        var list = List(7, Segment(0, 1, 16, 0, 0), Segment(0, 1, 3 * 2048, 0, 0));
        var answer = one.Send($"83 00 00 00 00 00 00 00 00 00 {list.Length:X8} 00 00", list);

        var sense = Initiator.Hex(own + forwarded);
        sense[ofSource ? 8 : 9] = pointer;
        Assert.Equal(SenseCode.ThirdPartyDeviceFailure, answer.Code);
        Assert.Equal(Convert.ToHexString(sense), Convert.ToHexString(answer.Sense));

        Assert.Equal(Initiator.Hex("00000008 02 0002 00"), one.Send("84 00 07 00 00 00 00 00 00 00 00 00 01 00 00 00").Good().Data[..8]);
        var details = one.Send("84 04 07 00 00 00 00 00 00 00 00 00 01 00 00 00").Good().Data;
        Assert.Equal(60 + sense.Length, details.Length);
        Assert.Equal(details.Length - 4, BinaryPrimitives.ReadInt32BigEndian(details));
        Assert.Equal((2, sense.Length), (details[56], BinaryPrimitives.ReadUInt16BigEndian(details.AsSpan(58))));
        Assert.Equal(sense, details[60..]);
        one.Send("84 04 07 00 00 00 00 00 00 00 00 00 01 00 00 00").Refused(SenseCode.InvalidFieldInCdb);
    }

    [Fact]
    public void Descriptor_sense_says_the_same()
    {
        var (source, destination) = (new ScriptedDisk(4 << 20), new ScriptedDisk(4 << 20) { Fails = BlockDeviceError.NoSpace, FailsFrom = 1 << 20 });
        var target = new TargetDevice("iqn.2026-01.test:target");
        target.Attach(0, new DiskUnit(source, _identities[0]));
        target.Attach(1, new DiskUnit(destination, _identities[1], 4096));
        var one = new Initiator(target);
        one.Send("15 10 00 00 10 00", Initiator.Hex("00000000 0A0A 04 10 00 00 0000 0000 0000")).Good();
        var list = List(7, Segment(0, 1, 3 * 2048, 0, 0));
        var sense = one.Send($"83 00 00 00 00 00 00 00 00 00 {list.Length:X8} 00 00", list).Sense;
        // Information, sense-key specific, command-specific, and the destination's own sense, forwarded.
        Assert.Equal(
            Initiator.Hex("720A0D01 000000 2C" + "000A8000 0000000000000200" + "02060000 80003000" + "010A0000 0000000000000000" + "0C0A0202 72072707 00000000"),
            sense);
    }

    [Fact]
    public void Segments_that_cannot_be_begun_leave_details_which_a_reset_takes_away()
    {
        Send(With(List(9, Segment(0, 1, 8, 0, 0)), 87, 0x02)).Refused(SenseCode.UnreachableCopyTarget);
        Assert.Equal(86, Send(With(List(9, Segment(0, 1, 8, 0, 0)), 87, 0x02)).Field);
        var second = Send(With(List(9, Segment(0, 1, 8, 0, 0), Segment(0, 1, 8, 0, 0)), 80 + 28 + 20, 0x01)).Refused(SenseCode.CopyAborted);
        Assert.Equal(80 + 28 + 20, second.Field);
        Assert.Equal(1, BinaryPrimitives.ReadUInt16BigEndian(second.Sense.AsSpan(10)));
        Assert.Equal(60 + 18, Receive(4, 9, 60).Good().TransferLength + 18);
        Assert.Equal(60 + 18, Receive(4, 9).Good().Data.Length);
        Send(With(List(9, Segment(0, 1, 8, 0, 0)), 87, 0x02)).Refused(SenseCode.UnreachableCopyTarget);
        _one.Manage(TaskManagementFunction.LogicalUnitReset);
        Receive(4, 9).Refused(SenseCode.InvalidFieldInCdb);
    }

    [Theory]
    [InlineData(2048, true)]
    [InlineData(2056, false)]
    public void A_long_copy_leaves_the_thread_that_it_came_by(ushort blocks, bool stays)
    {
        var destination = new ScriptedDisk(4 << 20);
        var target = new TargetDevice("iqn.2026-01.test:target");
        target.Attach(0, new DiskUnit(new MemoryDisk(4 << 20), _identities[0]));
        target.Attach(1, new DiskUnit(destination, _identities[1], 4096));
        var list = List(7, Segment(0, 1, blocks, 0, 0));
        new Initiator(target).Send($"83 00 00 00 00 00 00 00 00 00 {list.Length:X8} 00 00", list).Good();
        Assert.Equal(stays, destination.Writer == Environment.CurrentManagedThreadId);
    }

    [Fact]
    public void Several_segments_run_in_their_order()
    {
        Send(List(0x01, Segment(0, 0, 8, 0, 100), Segment(0, 0, 8, 100, 200))).Good();
        Assert.Equal(Read(0, 0, 8), Read(0, 200, 8));
    }

    [Fact]
    public void A_copy_reads_no_unit_that_another_has_reserved_and_writes_none_that_is_write_protected()
    {
        var two = new Initiator(_target, "two");
        two.Send("16 00 00 00 00 00").Good();
        var list = List(1, Segment(0, 1, 8, 0, 0));
        Assert.Equal(16, _one.Send($"83 00 00 00 00 00 00 00 00 00 {list.Length:X8} 00 00", list, lun: 1).Refused(SenseCode.ThirdPartyDeviceFailure).Field);
        two.Send("17 00 00 00 00 00").Good();
        ((DiskUnit)_target.Units[1]).WriteProtected = true;
        Assert.Equal(16 + 32, Send(list).Refused(SenseCode.ThirdPartyDeviceFailure).Field);
        ((DiskUnit)_target.Units[1]).WriteProtected = false;
        Send(list).Good();
    }

    /// <summary>WCE zero: what was copied is on the medium, as what was written is.</summary>
    [Fact]
    public void A_copy_reaches_the_medium_where_there_is_no_write_cache()
    {
        var disk = new ScriptedDisk(1 << 20);
        _target.Detach(1);
        _target.Attach(1, new DiskUnit(disk, _identities[1], 4096));
        var one = new Initiator(_target, "one");
        var list = List(1, Segment(0, 1, 8, 0, 0));
        one.Send($"83 00 00 00 00 00 00 00 00 00 {list.Length:X8} 00 00", list).Good();
        Assert.Equal(0, disk.Flushes);
        one.Send("15 10 00 00 18 00", Initiator.Hex("00000000 0812 00 00 0000 0000 0000 0000 00 00 0000 00 000000"), lun: 1).Good();
        var flushed = disk.Flushes;
        one.Send($"83 00 00 00 00 00 00 00 00 00 {list.Length:X8} 00 00", list).Good();
        Assert.Equal(flushed + 1, disk.Flushes);
    }

    [Fact]
    public void A_copy_does_what_its_nexus_may_do_and_no_more()
    {
        var two = new Initiator(_target, "two");
        two.Send("16 00 00 00 00 00", lun: 1).Good();
        Assert.Equal(16 + 32, Send(List(1, Segment(0, 1, 8, 0, 0))).Refused(SenseCode.ThirdPartyDeviceFailure).Field);
        two.Send("17 00 00 00 00 00", lun: 1).Good();
        Send(List(1, Segment(0, 1, 8, 0, 0))).Good();

        two.Send("16 00 00 00 00 00").Good();
        Assert.Equal(ScsiStatus.ReservationConflict, Send(List(1, Segment(0, 1, 8, 0, 0))).Status);
    }

    [Fact]
    public void What_is_wrong_with_a_list_is_said()
    {
        Assert.Equal(0, _one.Send("83 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00").Good().TransferLength);
        var good = List(1, Segment(0, 1, 8, 0, 0));
        Send(good[..^1]).Refused(SenseCode.ParameterListLengthError);
        Send(good[..40]).Refused(SenseCode.ParameterListLengthError);
        Send(With(good, 16, 0xE0)).Refused(SenseCode.UnsupportedTargetDescriptorTypeCode);
        Send(With(good, 80, 0x03)).Refused(SenseCode.UnsupportedSegmentDescriptorTypeCode);
        Send(With(good, 87, 0x02)).Refused(SenseCode.UnreachableCopyTarget);
        Send(With(good, 30, 0xFF)).Refused(SenseCode.UnreachableCopyTarget);
        Send(With(good, 96, 0x01)).Refused(SenseCode.CopyAborted);
        Send(With(good, 91, 0x07)).Refused(SenseCode.InvalidFieldInParameterList);
        Send(List(1, [.. Enumerable.Repeat(Segment(0, 1, 8, 0, 0), 17)])).Refused(SenseCode.TooManySegmentDescriptors);
    }

    [Fact]
    public void The_pages_say_what_a_copy_can_do()
    {
        Assert.Equal(8, _one.Send("12 00 00 00 FF 00").Good().Data[5] & 8);
        var parameters = _one.Send("84 03 00 00 00 00 00 00 00 00 00 00 01 00 00 00").Good().Data;
        Assert.Equal(parameters.Length - 4, BinaryPrimitives.ReadInt32BigEndian(parameters));
        Assert.Equal(Initiator.Hex("0010 0010 000003C0"), parameters[8..16]);
        Assert.Equal(Initiator.Hex("02 02 E4"), parameters[43..]);
        var page = _one.Send("12 01 8F 04 00 00").Good().Data;
        Assert.Equal(Initiator.Hex("0001 000C 09 83 01 00 84 04 00 01 03 04 0000"), page[4..20]);
        var types = new List<int>();
        for (var at = 4; at < page.Length; at += 4 + BinaryPrimitives.ReadUInt16BigEndian(page.AsSpan(at + 2)))
            types.Add(BinaryPrimitives.ReadUInt16BigEndian(page.AsSpan(at)));
        Assert.Equal([0x0001, 0x0004, 0x0008, 0x8001], types);
    }

    private Answer Receive(byte serviceAction, byte listId, int allocated = 256) =>
        _one.Send($"84 {serviceAction:X2} {listId:X2} 00 00 00 00 00 00 00 {allocated:X8} 00 00");

    private byte[] Read(int lun, int lba, int blocks) =>
        _one.Send($"28 00 {lba:X8} 00 {blocks:X4} 00", lun: (ulong)lun).Good().Data;

    private Answer Send(byte[] list) => _one.Send($"83 00 00 00 00 00 00 00 00 00 {list.Length:X8} 00 00", list);

    // Both units as targets 0 and 1.
    private byte[] List(byte id, params byte[][] segments)
    {
        var targets = _identities.SelectMany(i => (byte[])
            [0xE4, 0, 0, 0, 1, 3, 0, 8, .. i.Naa.ToArray(), .. new byte[16]]);
        return [id, 0, 0, 64, .. new byte[4], 0, 0, .. BigEndian((ushort)(28 * segments.Length)), .. new byte[4], .. targets, .. segments.SelectMany(s => s)];
    }

    private static byte[] Segment(ushort source, ushort destination, ushort blocks, byte from, byte to) =>
    [
        0x02, 0, 0, 24, .. BigEndian(source), .. BigEndian(destination), 0, 0, .. BigEndian(blocks),
        .. new byte[7], from, .. new byte[7], to,
    ];

    private static byte[] BigEndian(ushort value) => [(byte)(value >> 8), (byte)value];

    private static byte[] With(byte[] list, int at, byte value)
    {
        var changed = list.ToArray();
        changed[at] = value;
        return changed;
    }
}
