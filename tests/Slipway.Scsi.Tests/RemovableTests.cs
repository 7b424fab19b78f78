namespace Slipway.Scsi.Tests;

public sealed class RemovableTests : IAsyncDisposable
{
    private const string Eject = "1B 00 00 00 02 00";
    private const string Load = "1B 00 00 00 03 00";
    private const string Prevent = "1E 00 00 00 01 00";
    private const string Allow = "1E 00 00 00 00 00";
    private const string Ready = "00 00 00 00 00 00";

    private readonly TargetDevice _target = new("iqn.2026-01.test:target");
    private readonly ScriptedDisk _disk = new(1 << 20);
    private readonly Initiator _one;
    private readonly Initiator _two;

    public RemovableTests()
    {
        _target.Attach(0, new DiskUnit(_disk, new UnitIdentity("volume"), removable: true));
        (_one, _two) = (new Initiator(_target), new Initiator(_target, "two"));
    }

    public ValueTask DisposeAsync() => _disk.DisposeAsync();

    [Fact]
    public void Inquiry_says_which_medium_is_removable()
    {
        Assert.Equal(0x80, _one.Send("12 00 00 00 FF 00").Good().Data[1]);
        Assert.Equal(0, Initiator.Of(_disk).Send("12 00 00 00 FF 00").Good().Data[1]);
    }

    [Theory]
    [InlineData(Ready)]
    [InlineData("08 00 00 00 01 00")]
    [InlineData("2A 00 00 00 00 00 00 00 01 00")]
    [InlineData("25 00 00 00 00 00 00 00 00 00")]
    [InlineData("9E 10 00 00 00 00 00 00 00 00 00 00 00 20 00 00")]
    [InlineData("35 00 00 00 00 00 00 00 00 00")]
    [InlineData("42 00 00 00 00 00 00 00 00 00")]
    [InlineData("48 82 00 00 00 00 00 00 00 00")]
    [InlineData("1B 00 00 00 01 00")] // START without LOEJ
    public void Without_its_medium_the_unit_is_not_ready(string cdb)
    {
        _one.Send(Eject).Good();
        Assert.Equal(1, _disk.Flushes);
        _one.Send(cdb, new byte[512]).Refused(SenseCode.MediumNotPresent);
        _one.Send("12 00 00 00 FF 00").Good();
        Assert.Equal(Initiator.Hex("70 00 02 00000000 0A 00000000 3A 00"), _one.Send("03 00 00 00 FF 00").Good().Data[..14]);
        _one.Send(Eject).Good();
    }

    [Fact]
    public void Those_who_did_not_load_it_hear_that_the_medium_may_be_another()
    {
        _one.Send(Eject).Good();
        _two.Send(Ready).Refused(SenseCode.MediumNotPresent);
        _one.Send(Load).Good();
        _one.Send(Ready).Good();
        _two.Send(Ready).Refused(SenseCode.MediumMayHaveChanged);
        _two.Send(Ready).Good();
        _one.Send(Load).Good();
        _two.Send(Ready).Good();
    }

    [Fact]
    public void Nobody_ejects_what_anybody_keeps_in()
    {
        _one.Send(Prevent).Good();
        _two.Send(Prevent).Good();
        _two.Send(Eject).Refused(SenseCode.MediumRemovalPrevented);
        _two.Send(Allow).Good();
        _two.Send(Eject).Refused(SenseCode.MediumRemovalPrevented);
        _two.Send(Ready).Good();
        _one.Send(Load).Good();
        _one.Send(Allow).Good();
        _two.Send(Eject).Good();
        _one.Send(Prevent).Good();
        _two.Send(Load).Refused(SenseCode.MediumRemovalPrevented);
    }

    [Theory]
    [InlineData(TaskManagementFunction.LogicalUnitReset)]
    [InlineData(TaskManagementFunction.TargetWarmReset)]
    [InlineData(TaskManagementFunction.TargetColdReset)]
    public void A_reset_ends_prevention_and_loads(TaskManagementFunction reset)
    {
        _one.Send(Prevent).Good();
        Reset();
        _two.Send(Eject).Good();
        Reset();
        _two.Send(Ready).Good();

        void Reset()
        {
            _two.Manage(reset);
            Assert.Equal(SenseKey.UnitAttention, _two.Send(Ready).Code.Key);
        }
    }

    [Fact]
    public void A_lost_nexus_prevents_no_more_and_the_last_one_leaves_the_medium_in()
    {
        _one.Send(Prevent).Good();
        _one.Close();
        _two.Send(Eject).Good();
        _two.Close();
        new Initiator(_target).Send(Ready).Good();
    }

    [Fact]
    public void A_stop_alone_takes_nothing_out()
    {
        _one.Send("1B 00 00 00 00 00").Good();
        _one.Send(Ready).Good();
        Assert.Equal(1, _disk.Flushes);
        _one.Send("1B 00 00 00 06 00").Good(); // LOEJ, NO_FLUSH
        Assert.Equal(1, _disk.Flushes);
        Initiator.Of(_disk).Send(Load).Refused(SenseCode.InvalidFieldInCdb);
        _one.Send("1E 00 00 00 02 00").Refused(SenseCode.InvalidFieldInCdb);
    }
}
