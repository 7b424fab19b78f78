namespace Slipway.Scsi.Tests;

public sealed class ModeTests : IAsyncDisposable
{
    private const string Control = "0A0A 00 10 00 00 0000 0000 0000";
    private readonly TargetDevice _target = new("iqn.2026-01.test:target");
    private readonly ScriptedDisk _disk = new(1 << 20);
    private readonly Initiator _one;

    public ModeTests()
    {
        _target.Attach(0, new DiskUnit(_disk, new UnitIdentity("volume")));
        _one = new Initiator(_target);
    }

    public ValueTask DisposeAsync() => _disk.DisposeAsync();

    [Fact]
    public void All_pages_follow_header_and_block_descriptor()
    {
        var data = _one.Send("1A 00 3F 00 FF 00").Good().Data;
        Assert.Equal(data.Length - 1, data[0]);
        Assert.Equal(Initiator.Hex("00 10 08 00000800 00000200 01 0A 00"), data[1..15]);
        Assert.Equal(Initiator.Hex("08 12 04"), data[24..27]);
        Assert.Equal(Initiator.Hex("0A"), data[44..45]);
        Assert.Equal(0x1C, data[56]);

        var long10 = _one.Send("5A 10 08 00 00 00 00 00 FF 00").Good().Data;
        Assert.Equal(Initiator.Hex("002A 00 10 01 00 0010 0000000000000800 00000000 00000200"), long10[..24]);
        Assert.Equal(0x90, Initiator.Of(_disk, writeProtected: true).Send("1A 08 3F 00 FF 00").Good().Data[2]);
    }

    [Fact]
    public void A_page_without_the_write_cache_makes_each_write_reach_the_medium()
    {
        var two = new Initiator(_target, "two");
        Select("0812 00 00 0000 0000 0000 0000 00 00 0000 00 000000").Good();
        Assert.Equal(1, _disk.Flushes);
        two.Send("00 00 00 00 00 00").Refused(SenseCode.ModeParametersChanged);
        _one.Send("2A 00 00 00 00 00 00 00 01 00", new byte[512]).Good();
        _one.Send("41 08 00 00 00 00 00 00 01 00", new byte[512]).Good();
        _one.Send("42 00 00 00 00 00 00 00 18 00", Initiator.Hex("0016 0010 00000000 0000000000000000 00000001 00000000")).Good();
        Assert.Equal(4, _disk.Flushes);
        Assert.Equal(0, _one.Send("1A 08 08 00 FF 00").Good().Data[6]);
        Assert.Equal(4, _one.Send("1A 08 88 00 FF 00").Good().Data[6]);
        Assert.Equal(4, _one.Send("1A 08 48 00 FF 00").Good().Data[6]);
    }

    [Fact]
    public void A_cache_that_cannot_be_written_when_it_is_switched_off_is_a_write_error()
    {
        _disk.Fails = Slipway.Disks.BlockDeviceError.Io;
        Select("0812 00 00 0000 0000 0000 0000 00 00 0000 00 000000").Refused(SenseCode.WriteError);
    }

    [Fact]
    public void Descriptor_sense_and_software_write_protection_are_switched_by_the_control_page()
    {
        Select("0A0A 04 10 08 00 0000 0000 0000").Good();
        var refused = _one.Send("2A 00 00 00 00 00 00 00 01 00", new byte[512]).Refused(SenseCode.SoftwareWriteProtected);
        Assert.Equal(0x72, refused.Sense[0]);
        Assert.Equal(0x80, _one.Send("1A 08 0A 00 FF 00").Good().Data[2] & 0x80);

        _one.Manage(TaskManagementFunction.LogicalUnitReset);
        _one.Send("2A 00 00 00 00 00 00 00 01 00", new byte[512]).Good();
    }

    [Theory]
    [InlineData("0A0A 00 00 00 00 0000 0000 0000", 7)] // QUEUE ALGORITHM MODIFIER
    [InlineData("0A0B 00 10 00 00 0000 0000 0000", 5)]
    [InlineData("0B0A 00 10 00 00 0000 0000 0000", 4)]
    [InlineData("0A0A 04 10 00 00 0000 0000 0000 3F00", 16)]
    public void A_list_is_taken_as_a_whole_or_not_at_all(string pages, int field)
    {
        var answer = Select(pages).Refused(SenseCode.InvalidFieldInParameterList);
        Assert.Equal(field, answer.Field);
        Assert.Equal(Initiator.Hex(Control), _one.Send("1A 08 0A 00 FF 00").Good().Data[4..]);
    }

    // SPC-4 §6.11.1: a list that cuts a page is of a wrong length, and what stands before the page is not taken either.
    [Theory]
    [InlineData("0A0A 00 10")]
    [InlineData("0A0A 04 10 00 00 0000 0000 0000 0A")]
    [InlineData("0A0A 04 10 00 00 0000 0000 0000 080A")]
    [InlineData("0A0A 04 10 00 00 0000 0000 00")]
    public void A_list_that_cuts_a_page_is_refused(string pages)
    {
        var code = pages.EndsWith("080A", StringComparison.Ordinal) ? SenseCode.InvalidFieldInParameterList : SenseCode.ParameterListLengthError;
        Select(pages).Refused(code);
        Assert.Equal(Initiator.Hex(Control), _one.Send("1A 08 0A 00 FF 00").Good().Data[4..]);
    }

    [Fact]
    public void Lists_of_a_wrong_length_are_refused()
    {
        _one.Send("15 10 00 00 00 00").Good();
        _one.Send("15 10 00 00 03 00", new byte[3]).Refused(SenseCode.ParameterListLengthError);
        _one.Send("15 10 00 00 10 00", new byte[4]).Refused(SenseCode.ParameterListLengthError);
        _one.Send("15 11 00 00 10 00", new byte[16]).Refused(SenseCode.InvalidFieldInCdb);
        _one.Send("15 10 00 00 04 00", Initiator.Hex("00 00 00 08")).Refused(SenseCode.ParameterListLengthError);
        _one.Send("15 10 00 00 0C 00", Initiator.Hex("00 00 00 08 00000000 00000400")).Refused(SenseCode.InvalidFieldInParameterList);
        _one.Send("15 10 00 00 0C 00", Initiator.Hex("00 00 00 08 00000800 00000200")).Good();
        _one.Send("55 10 00 00 00 00 00 00 18 00", Initiator.Hex("0000 00 00 01 00 0010 0000000000000000 00000000 00000200")).Good();
    }

    private Answer Select(string pages)
    {
        var list = Initiator.Hex("00 00 00 00" + pages);
        return _one.Send($"15 10 00 00 {list.Length:X2} 00", list);
    }
}
