using System.Buffers.Binary;
using System.Text;
using Slipway.Disks;

namespace Slipway.Scsi.Tests;

public class DiscoveryTests
{
    private readonly TargetDevice _target = new("iqn.2026-01.test:target");

    public DiscoveryTests() => _target.Attach(0, new DiskUnit(new MemoryDisk(1 << 20), new UnitIdentity("volume-1", serial: "S1")));

    [Fact]
    public void Inquiry_names_a_disk_that_queues()
    {
        var data = new Initiator(_target).Send("12 00 00 00 FF 00").Good().Data;
        Assert.Equal(0, data[0]);
        Assert.Equal(data.Length - 5, data[4]);
        Assert.Equal(2, data[7] & 2);
        Assert.Equal("SLIPWAY Volume          1.0 ", Encoding.ASCII.GetString(data, 8, 28));
    }

    [Fact]
    public void An_allocation_length_cuts_and_so_does_the_initiators_buffer()
    {
        var initiator = new Initiator(_target);
        var cut = initiator.Send("12 00 00 00 24 00", limit: 8).Good();
        Assert.Equal(36, cut.TransferLength);
        Assert.Equal(8, cut.Data.Length);
        Assert.Equal(0, initiator.Send("12 00 00 00 00 00").Good().TransferLength);
    }

    [Fact]
    public void Every_page_that_is_listed_is_there_and_says_its_own_length()
    {
        var initiator = new Initiator(_target);
        var pages = initiator.Send("12 01 00 00 FF 00").Good().Data[4..];
        Assert.Equal(pages.Order(), pages);
        Assert.All(new byte[] { 0x00, 0x80, 0x83, 0x86, 0xB0, 0xB1, 0xB2 }, p => Assert.Contains(p, pages));
        foreach (var page in pages)
        {
            var data = initiator.Send($"12 01 {page:X2} 04 00 00").Good().Data;
            Assert.Equal(page, data[1]);
            Assert.Equal(data.Length - 4, BinaryPrimitives.ReadUInt16BigEndian(data.AsSpan(2)));
        }
    }

    [Fact]
    public void The_designators_follow_the_volume_and_the_port_and_nothing_else()
    {
        var other = new TargetDevice("iqn.2026-01.test:target");
        other.Attach(0, new DiskUnit(new MemoryDisk(1 << 21), new UnitIdentity("volume-1", serial: "S1")));
        var here = new Initiator(_target, port: 1).Send("12 01 83 04 00 00").Good().Data;
        Assert.Equal(here, new Initiator(other, port: 1).Send("12 01 83 04 00 00").Data);

        var designators = Designators(here);
        Assert.Equal(0x3, designators[0x03][0] >> 4);
        Assert.Equal("SLIPWAY S1", Encoding.ASCII.GetString(designators[0x01]));
        Assert.Equal(new byte[] { 0, 0, 0, 1 }, designators[0x94]);
        Assert.Equal("iqn.2026-01.test:target,t,0x0001", Encoding.UTF8.GetString(designators[0x98]).TrimEnd('\0'));
        Assert.Equal("iqn.2026-01.test:target", Encoding.UTF8.GetString(designators[0xA8]).TrimEnd('\0'));
        Assert.All([designators[0x98], designators[0xA8]], d => Assert.True(d.Length % 4 == 0 && d[^1] == 0));

        other.Attach(1, new DiskUnit(new MemoryDisk(1 << 20), new UnitIdentity("volume-2")));
        var second = new Initiator(other).Send("12 01 83 04 00 00", lun: 1).Good().Data;
        Assert.NotEqual(designators[0x03], Designators(second)[0x03]);
    }

    [Fact]
    public void Report_luns_lists_units_that_come_and_go_and_the_others_hear_of_it()
    {
        var initiator = new Initiator(_target);
        _target.Attach(5, new DiskUnit(new MemoryDisk(1 << 20), new UnitIdentity("volume-5")));
        initiator.Send("00 00 00 00 00 00").Refused(SenseCode.ReportedLunsDataHasChanged);
        initiator.Send("00 00 00 00 00 00").Good();
        var list = initiator.Send("A0 00 00 00 00 00 00 00 01 00 00 00").Good().Data;
        Assert.Equal(Initiator.Hex("00000010 00000000 0000000000000000 0005000000000000"), list);
        Assert.Equal(8, initiator.Send("A0 00 01 00 00 00 00 00 01 00 00 00").Good().Data.Length);

        Assert.True(_target.Detach(5));
        initiator.Send("A0 00 00 00 00 00 00 00 01 00 00 00").Good();
        initiator.Send("00 00 00 00 00 00").Good();
        initiator.Send("00 00 00 00 00 00", lun: 5).Refused(SenseCode.LogicalUnitNotSupported);
    }

    [Fact]
    public void A_unit_attention_waits_behind_inquiry_and_is_reported_once()
    {
        var (one, two) = (new Initiator(_target), new Initiator(_target, "two"));
        Assert.Equal(TaskManagementResponse.FunctionComplete, one.Manage(TaskManagementFunction.LogicalUnitReset));
        two.Send("12 00 00 00 FF 00").Good();
        var sense = two.Send("03 00 00 00 FF 00").Good().Data;
        Assert.Equal((6, 0x29, 0x03), (sense[2], sense[12], sense[13]));
        two.Send("00 00 00 00 00 00").Good();
        Assert.Equal(0x72, two.Send("03 01 00 00 FF 00").Good().Data[0]);
    }

    [Fact]
    public void A_stopped_disk_is_not_ready_until_it_is_started_or_everyone_has_left()
    {
        var one = new Initiator(_target);
        one.Send("1B 00 00 00 00 00").Good();
        one.Send("28 00 00 00 00 00 00 00 01 00").Refused(SenseCode.NotReadyInitializingCommandRequired);
        one.Send("12 00 00 00 FF 00").Good();
        Assert.Equal(2, one.Send("03 00 00 00 FF 00").Good().Data[2]);
        one.Send("1B 00 00 00 01 00").Good();
        one.Send("00 00 00 00 00 00").Good();

        one.Send("1B 00 00 00 00 00").Good();
        one.Close();
        new Initiator(_target).Send("00 00 00 00 00 00").Good();
    }

    [Fact]
    public void Capacity_is_reported_in_both_forms()
    {
        var initiator = Initiator.Of(new MemoryDisk(3L << 40), 512);
        Assert.Equal(Initiator.Hex("FFFFFFFF 00000200"), initiator.Send("25 00 00 00 00 00 00 00 00 00").Good().Data);
        var data = initiator.Send("9E 10 00 00 00 00 00 00 00 00 00 00 00 20 00 00").Good().Data;
        Assert.Equal(Initiator.Hex("00000001 7FFFFFFF 00000200 00 03 C000"), data[..16]);
    }

    private static Dictionary<byte, byte[]> Designators(byte[] page)
    {
        var designators = new Dictionary<byte, byte[]>();
        for (var at = 4; at < page.Length; at += 4 + page[at + 3])
            designators.Add(page[at + 1], page[(at + 4)..(at + 4 + page[at + 3])]);
        return designators;
    }
}
