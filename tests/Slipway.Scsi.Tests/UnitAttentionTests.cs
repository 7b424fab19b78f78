using System.Buffers.Binary;
using Slipway.Scsi.Reservations;

namespace Slipway.Scsi.Tests;

/// <summary>Which event establishes which unit attention for whom: the one that causes it, and those who look on.</summary>
public sealed class UnitAttentionTests : IAsyncDisposable
{
    private const string Ready = "00 00 00 00 00 00";

    private static readonly Dictionary<string, Action<UnitAttentionTests>> Events = new()
    {
        ["logical unit reset"] = t => t._one.Manage(TaskManagementFunction.LogicalUnitReset),
        ["target warm reset"] = t => t._one.Manage(TaskManagementFunction.TargetWarmReset),
        ["target cold reset"] = t => t._one.Manage(TaskManagementFunction.TargetColdReset),
        ["clear task set"] = t => t._one.Manage(TaskManagementFunction.ClearTaskSet),
        ["commands cleared"] = t => t._target.ReportCleared(t._two.Nexus, 0),
        ["abort task set"] = t => t._one.Manage(TaskManagementFunction.AbortTaskSet),
        ["resize"] = t => t._unit.ReportCapacityChange(),
        ["mode select"] = t => t._one.Send("15 10 00 00 10 00", Initiator.Hex("00000000 0A0A 04 10 00 00 0000 0000 0000")).Good(),
        ["mode select, no change"] = t => t._one.Send("15 10 00 00 10 00", Initiator.Hex("00000000 0A0A 00 10 00 00 0000 0000 0000")).Good(),
        ["attach"] = t => t._target.Attach(7, new DiskUnit(t._disk, new UnitIdentity("seven"))),
        ["detach"] = t => t._target.Detach(1),
        ["eject"] = t => t._one.Send("1B 00 00 00 02 00").Good(),
        ["load"] = t =>
        {
            t._one.Send("1B 00 00 00 02 00").Good();
            t._one.Send("1B 00 00 00 03 00").Good();
        },
        ["release, exclusive access"] = t =>
        {
            t.Reserve(ReservationType.ExclusiveAccess);
            Reservation(t._one, 2, 3, 0xA, 0);
        },
        ["release, registrants only"] = t =>
        {
            t.Reserve(ReservationType.ExclusiveAccessRegistrantsOnly);
            Reservation(t._one, 2, 6, 0xA, 0);
        },
        ["unregister, registrants only"] = t =>
        {
            t.Reserve(ReservationType.ExclusiveAccessRegistrantsOnly);
            Reservation(t._one, 0, 0, 0xA, 0);
        },
        ["unregister, nothing reserved"] = t =>
        {
            t.Reserve(ReservationType.None);
            Reservation(t._one, 0, 0, 0xA, 0);
        },
        ["clear"] = t =>
        {
            t.Reserve(ReservationType.ExclusiveAccessRegistrantsOnly);
            Reservation(t._one, 3, 0, 0xA, 0);
        },
        ["preempt"] = t =>
        {
            t.Reserve(ReservationType.ExclusiveAccessRegistrantsOnly);
            Reservation(t._one, 4, 6, 0xA, 0xB);
        },
        ["preempt a reservation"] = t =>
        {
            t.Reserve(ReservationType.ExclusiveAccessRegistrantsOnly);
            Reservation(t._two, 4, 3, 0xB, 0xA);
        },
    };

    private readonly TargetDevice _target = new("iqn.2026-01.test:target");
    private readonly ScriptedDisk _disk = new(1 << 20);
    private readonly DiskUnit _unit;
    private readonly Initiator _one;
    private readonly Initiator _two;
    private readonly Initiator _three;

    public UnitAttentionTests()
    {
        _unit = new DiskUnit(_disk, new UnitIdentity("volume"), removable: true);
        _target.Attach(0, _unit);
        _target.Attach(1, new DiskUnit(_disk, new UnitIdentity("other")));
        (_one, _two, _three) = (new Initiator(_target, "one"), new Initiator(_target, "two"), new Initiator(_target, "three"));
    }

    public ValueTask DisposeAsync() => _disk.DisposeAsync();

    // What one, two and three learn on unit 0, and three on unit 1. Of the registrants, one holds what is reserved.
    [Theory]
    [InlineData("logical unit reset", "BusDeviceResetFunctionOccurred", "BusDeviceResetFunctionOccurred", "BusDeviceResetFunctionOccurred", null)]
    [InlineData("target warm reset", "PowerOnOrReset", "PowerOnOrReset", "PowerOnOrReset", "PowerOnOrReset")]
    [InlineData("target cold reset", "PowerOnOrReset", "PowerOnOrReset", "PowerOnOrReset", "PowerOnOrReset")]
    [InlineData("clear task set", null, null, null, null)]
    [InlineData("commands cleared", null, "CommandsClearedByAnotherInitiator", null, null)]
    [InlineData("abort task set", null, null, null, null)]
    [InlineData("resize", "CapacityDataHasChanged", "CapacityDataHasChanged", "CapacityDataHasChanged", null)]
    [InlineData("mode select", null, "ModeParametersChanged", "ModeParametersChanged", null)]
    [InlineData("mode select, no change", null, null, null, null)]
    [InlineData("attach", "ReportedLunsDataHasChanged", "ReportedLunsDataHasChanged", "ReportedLunsDataHasChanged", "ReportedLunsDataHasChanged")]
    [InlineData("detach", "ReportedLunsDataHasChanged", "ReportedLunsDataHasChanged", "ReportedLunsDataHasChanged", "LogicalUnitNotSupported")]
    [InlineData("eject", "MediumNotPresent", "MediumNotPresent", "MediumNotPresent", null)]
    [InlineData("load", null, "MediumMayHaveChanged", "MediumMayHaveChanged", null)]
    [InlineData("release, exclusive access", null, null, null, null)]
    [InlineData("release, registrants only", null, "ReservationsReleased", null, null)]
    [InlineData("unregister, registrants only", null, "ReservationsReleased", null, null)]
    [InlineData("unregister, nothing reserved", null, null, null, null)]
    [InlineData("clear", null, "ReservationsPreempted", null, null)]
    [InlineData("preempt", null, "RegistrationsPreempted", null, null)]
    [InlineData("preempt a reservation", "RegistrationsPreempted", null, null, null)]
    public void An_event_is_told_to_whom_it_concerns(string what, string? one, string? two, string? three, string? elsewhere)
    {
        Events[what](this);
        Assert.Equal((one, two, three, elsewhere), (Heard(_one), Heard(_two), Heard(_three), Heard(_three, 1)));
    }

    [Fact]
    public void Conditions_are_told_in_their_order_each_once()
    {
        _unit.ReportCapacityChange();
        _target.Attach(7, new DiskUnit(_disk, new UnitIdentity("seven")));
        _unit.ReportCapacityChange();
        Assert.Equal("CapacityDataHasChanged", Heard(_one));
        Assert.Equal("ReportedLunsDataHasChanged", Heard(_one));
        Assert.Null(Heard(_one));

        // A reset takes the place of what waited before it.
        _three.Manage(TaskManagementFunction.LogicalUnitReset);
        Assert.Equal("BusDeviceResetFunctionOccurred", Heard(_two));
        Assert.Null(Heard(_two));
    }

    [Fact]
    public void Who_is_alone_is_not_told_of_a_reset_that_it_asked_for()
    {
        _target.CloseNexus(_two.Nexus);
        _target.CloseNexus(_three.Nexus);
        _one.Manage(TaskManagementFunction.LogicalUnitReset);
        Assert.Null(Heard(_one));
    }

    private static string? Heard(Initiator initiator, ulong lun = 0)
    {
        var answer = initiator.Send(Ready, lun: lun);
        return answer.Status == ScsiStatus.Good
            ? null
            : typeof(SenseCode).GetFields().Single(f => f.GetValue(null) is SenseCode code && code == answer.Code).Name;
    }

    private void Reserve(ReservationType type)
    {
        Reservation(_one, 0, 0, 0, 0xA);
        Reservation(_two, 0, 0, 0, 0xB);
        if (type != ReservationType.None)
            Reservation(_one, 1, (byte)type, 0xA, 0);
    }

    private static void Reservation(Initiator initiator, byte action, byte type, ulong key, ulong actionKey)
    {
        var list = new byte[24];
        BinaryPrimitives.WriteUInt64BigEndian(list, key);
        BinaryPrimitives.WriteUInt64BigEndian(list.AsSpan(8), actionKey);
        initiator.Send($"5F {action:X2} 0{type:X1} 00 00 00 00 00 18 00", list).Good();
    }
}
