using Slipway.Disks;
using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Target;
using Slipway.Scsi;
using static Slipway.Iscsi.Tests.ScriptedInitiator;

namespace Slipway.Iscsi.Tests.FullFeature;

/// <summary>RFC 7143 §11.5, §11.6, §4.2.3.3.</summary>
public sealed class ManagementTests : IAsyncDisposable
{
    /// <summary>Unit 0, by flat space addressing.</summary>
    private const ulong FlatSpace = 0x4000_0000_0000_0000;

    private readonly GatedDisk _disk = new(1 << 20);
    private readonly Site _site;

    public ManagementTests() => _site = new(disk: _disk);

    public ValueTask DisposeAsync() => _disk.DisposeAsync();

    [Fact]
    public void A_task_that_collects_its_data_is_aborted_at_once() => _site.LogIn("InitialR2T=Yes ImmediateData=No")
        .SaysWrite(1, 0, 512).HearsR2T(1, 0, 0, 512, out var tag)
        .SaysManagement(2, TaskManagementFunction.AbortTask, reference: 1, refCmdSN: 100)
        .HearsManagement(2, TaskManagementResponse.FunctionComplete)
        .SaysData(1, tag, 0, 0, Pattern(512), final: true).HearsNothing()
        .Do(_ => Assert.Equal(new byte[512], _site.Read(0, 512)));

    [Fact]
    public void A_task_that_runs_ends_unheard_before_the_answer()
    {
        _disk.Hold();
        var initiator = _site.LogIn().SaysRead(1, 0, 1)
            .SaysManagement(2, TaskManagementFunction.AbortTask, reference: 1, refCmdSN: 100).HearsNothing();
        _disk.LetGo();
        initiator.Wakes().HearsManagement(2, TaskManagementResponse.FunctionComplete).HearsNothing()
            .SaysRead(1, 0, 1).HearsData(1, out _);
    }

    [Fact]
    public void Functions_that_wait_for_a_unit_are_bounded()
    {
        var disk = new GatedDisk(1 << 20).Hold();
        var initiator = new Site(new TargetLimits { SessionTasks = 4 }, disk).LogIn().SaysRead(1, 0, 1);
        for (var tag = 2u; tag < 6; tag++)
            initiator.SaysManagement(tag, TaskManagementFunction.AbortTask, reference: 1, refCmdSN: 100);
        initiator.HearsNothing()
            .SaysManagement(6, TaskManagementFunction.AbortTask, reference: 1, refCmdSN: 100)
            .HearsManagement(6, TaskManagementResponse.Rejected);
        disk.LetGo();
        initiator.Wakes();
        for (var tag = 2u; tag < 6; tag++)
            initiator.HearsManagement(tag, TaskManagementResponse.FunctionComplete);
    }

    [Fact]
    public void A_task_that_waits_for_its_turn_is_aborted() => _site.LogIn()
        .SaysCommand(1, Write10(0, 1), write: 512, data: Pattern(512), cmdSN: 101)
        .Do(i => i.CmdSN = 102)
        .SaysManagement(2, TaskManagementFunction.AbortTask, reference: 1, refCmdSN: 101)
        .HearsManagement(2, TaskManagementResponse.FunctionComplete)
        .SaysCommand(3, TestUnitReady, cmdSN: 100).HearsStatus(3).HearsNothing()
        .SaysCommand(4, TestUnitReady, cmdSN: 102).HearsStatus(4)
        .Do(_ => Assert.Equal(new byte[512], _site.Read(0, 512)));

    [Fact]
    public void A_task_that_is_not_there_does_not_exist() => _site.LogIn()
        .SaysCommand(1, TestUnitReady).HearsStatus(1)
        // §11.6.1 c: its CmdSN is not in the window any more.
        .SaysManagement(2, TaskManagementFunction.AbortTask, reference: 1, refCmdSN: 100)
        .HearsManagement(2, TaskManagementResponse.TaskDoesNotExist)
        .SaysManagement(3, TaskManagementFunction.AbortTask, reference: 9, refCmdSN: 5)
        .HearsManagement(3, TaskManagementResponse.TaskDoesNotExist);

    [Fact]
    public void ABORT_TASK_is_for_a_task_of_its_own_unit()
    {
        // SAM-5 §7.2.
        var other = new MemoryDisk(1 << 20);
        _site.Device.Attach(1, new DiskUnit(other, new UnitIdentity("other")));
        _site.LogIn("InitialR2T=Yes ImmediateData=No")
            .SaysWrite(1, 0, 512).HearsR2T(1, 0, 0, 512, out var tag)
            .SaysManagement(2, TaskManagementFunction.AbortTask, reference: 1, refCmdSN: 100, lun: 0x0001_0000_0000_0000)
            .HearsManagement(2, TaskManagementResponse.TaskDoesNotExist)
            .SaysManagement(3, TaskManagementFunction.AbortTask, reference: 1, refCmdSN: 100, lun: 0x0005_0000_0000_0000)
            .HearsManagement(3, TaskManagementResponse.LunDoesNotExist)
            .SaysData(1, tag, 0, 0, Pattern(512), final: true).HearsStatus(1);
    }

    [Theory]
    [InlineData(TaskManagementFunction.AbortTask, FlatSpace, 0)]
    [InlineData(TaskManagementFunction.AbortTask, 0, FlatSpace)]
    [InlineData(TaskManagementFunction.AbortTaskSet, FlatSpace, 0)]
    [InlineData(TaskManagementFunction.AbortTaskSet, 0, FlatSpace)]
    [InlineData(TaskManagementFunction.ClearTaskSet, FlatSpace, 0)]
    [InlineData(TaskManagementFunction.ClearTaskSet, 0, FlatSpace)]
    [InlineData(TaskManagementFunction.LogicalUnitReset, FlatSpace, 0)]
    [InlineData(TaskManagementFunction.LogicalUnitReset, 0, FlatSpace)]
    public void A_function_finds_the_commands_of_its_unit_by_whatever_form_of_the_LUN_they_came(TaskManagementFunction function, ulong ofCommand, ulong ofFunction)
    {
        // SAM-5 §4.7.7: peripheral device addressing and flat space addressing of one unit.
        _site.LogIn("InitialR2T=Yes ImmediateData=No")
            .SaysCommand(1, Write10(0, 1), write: 512, lun: ofCommand).HearsR2T(1, 0, 0, 512, out var tag)
            .SaysManagement(2, function, reference: 1, refCmdSN: 100, lun: ofFunction).HearsManagement(2, TaskManagementResponse.FunctionComplete)
            .SaysData(1, tag, 0, 0, Pattern(512), final: true).HearsNothing();
        Assert.Equal(new byte[512], _site.Read(0, 512));
    }

    [Fact]
    public void PREEMPT_AND_ABORT_ends_commands_that_came_by_flat_space_addressing()
    {
        var victim = _site.LogIn("InitialR2T=Yes", 2).SaysReservation(1, 0, key: 0, actionKey: 0xA).HearsStatus(1)
            .SaysCommand(2, Write10(0, 1), write: 512, lun: FlatSpace).HearsR2T(2, 0, 0, 512, out var tag);
        var initiator = _site.LogIn().SaysReservation(1, 0, key: 0, actionKey: 0xB).HearsStatus(1)
            .SaysReservation(2, 5, key: 0xB, actionKey: 0xA);
        victim.Wakes();
        initiator.Wakes().HearsStatus(2);
        victim.SaysData(2, tag, 0, 0, Pattern(512), final: true).HearsNothing();
        Assert.Equal(new byte[512], _site.Read(0, 512));
    }

    [Theory]
    [InlineData(TaskManagementFunction.AbortTaskSet)]
    [InlineData(TaskManagementFunction.ClearTaskSet)]
    public void A_function_waits_for_commands_before_it_that_come_by_another_connection(TaskManagementFunction function)
    {
        // §4.2.3.3 b.
        var one = _site.LogIn("MaxConnections=2");
        var two = _site.Connect().Joins(one, 2);
        one.CmdSN = 102;
        one.SaysManagement(9, function).HearsNothing();
        two.SaysWrite(2, 0, 512, Pattern(512)).HearsNothing();
        one.Turns().HearsNothing();
        // It was sent afterwards, whenever it comes.
        two.SaysCommand(4, TestUnitReady, cmdSN: 102).HearsNothing();
        two.SaysCommand(3, TestUnitReady, cmdSN: 101).HearsStatus(4).Turns();
        one.Turns().HearsManagement(9, TaskManagementResponse.FunctionComplete);
        one.CmdSN = 103;
        one.SaysCommand(5, TestUnitReady).HearsStatus(5);
        Assert.Equal(new byte[512], _site.Read(0, 512));
    }

    [Fact]
    public void A_function_leaves_alone_what_was_sent_after_it_and_came_before()
    {
        var one = _site.LogIn("MaxConnections=2 InitialR2T=Yes ImmediateData=No");
        var two = _site.Connect().Joins(one, 2).SaysWrite(2, 0, 512).HearsR2T(2, 0, 0, 512, out var tag);
        one.SaysManagement(9, TaskManagementFunction.AbortTaskSet);
        two.Turns().SaysData(2, tag, 0, 0, Pattern(512), final: true).HearsStatus(2);
        one.Turns().HearsManagement(9, TaskManagementResponse.FunctionComplete);
    }

    [Fact]
    public void A_target_reset_takes_what_has_not_come_for_received()
    {
        // §4.2.3.3 b.
        var one = _site.LogIn("MaxConnections=2");
        var two = _site.Connect().Joins(one, 2).SaysCommand(3, TestUnitReady, cmdSN: 101).HearsNothing();
        one.CmdSN = 102;
        one.SaysManagement(9, TaskManagementFunction.TargetWarmReset);
        two.Turns().SaysCommand(2, TestUnitReady, cmdSN: 100).HearsNothing();
        one.Turns().HearsManagement(9, TaskManagementResponse.FunctionComplete)
            .SaysCommand(4, TestUnitReady).HearsStatus(4);
    }

    [Fact]
    public void A_command_that_was_lost_on_the_way_counts_as_received()
    {
        // §11.6.1 b: in the window, before the function's own CmdSN, and not here.
        _site.LogIn()
            .SaysCommand(2, TestUnitReady, cmdSN: 101).HearsNothing()
            .Do(i => i.CmdSN = 102)
            .SaysManagement(3, TaskManagementFunction.AbortTask, reference: 1, refCmdSN: 100)
            .HearsStatus(2)
            .HearsManagement(3, TaskManagementResponse.FunctionComplete)
            .SaysCommand(1, TestUnitReady, cmdSN: 100).HearsNothing();
    }

    [Fact]
    public void A_function_in_its_turn_waits_for_the_commands_before_it() => _site.LogIn("InitialR2T=Yes ImmediateData=No")
        .Do(i => i.CmdSN = 101)
        .SaysManagement(2, TaskManagementFunction.AbortTaskSet, immediate: false).HearsNothing()
        .SaysCommand(1, Write10(0, 1), write: 512, cmdSN: 100).HearsR2T(1, 0, 0, 512, out _)
        .HearsManagement(2, TaskManagementResponse.FunctionComplete);

    [Fact]
    public void ABORT_TASK_SET_reaches_this_session_and_unit_alone()
    {
        var other = _site.LogIn("InitialR2T=Yes ImmediateData=No", 2).SaysWrite(1, 0, 512).HearsR2T(1, 0, 0, 512, out var theirs);
        _site.LogIn("InitialR2T=Yes ImmediateData=No")
            .SaysWrite(1, 0, 512).HearsR2T(1, 0, 0, 512, out var ours)
            .SaysManagement(2, TaskManagementFunction.AbortTaskSet).HearsManagement(2, TaskManagementResponse.FunctionComplete)
            .SaysData(1, ours, 0, 0, Pattern(512), final: true).HearsNothing();
        other.Turns().SaysData(1, theirs, 0, 0, Pattern(512), final: true).HearsStatus(1);
    }

    [Theory]
    [InlineData(TaskManagementFunction.ClearTaskSet, 0x062F00u)]
    [InlineData(TaskManagementFunction.LogicalUnitReset, 0x062903u)]
    [InlineData(TaskManagementFunction.TargetWarmReset, 0x062900u)]
    public void A_function_on_the_unit_reaches_all_sessions(TaskManagementFunction function, uint attention)
    {
        _disk.Hold();
        var other = _site.LogIn("InitialR2T=Yes ImmediateData=No", 2).SaysWrite(1, 0, 512).HearsR2T(1, 0, 0, 512, out var tag).SaysRead(2, 0, 1);
        var initiator = _site.LogIn().SaysManagement(5, function).HearsNothing();
        other.Turns();
        initiator.Turns().HearsNothing();
        _disk.LetGo();
        other.Wakes();
        initiator.Wakes().HearsManagement(5, TaskManagementResponse.FunctionComplete);
        // SAM-5 §5.14: the other learns it with its next command.
        other.SaysData(1, tag, 0, 0, Pattern(512), final: true).HearsNothing()
            .SaysCommand(3, TestUnitReady).HearsSense(3, attention)
            .SaysCommand(4, TestUnitReady).HearsStatus(4);
    }

    [Fact]
    public void CLEAR_TASK_SET_tells_those_whose_commands_it_cleared_and_nobody_else()
    {
        // SAM-5 §5.6.3, TAS zero.
        var loses = _site.LogIn("InitialR2T=Yes ImmediateData=No", 2).SaysWrite(1, 0, 512).HearsR2T(1, 0, 0, 512, out _);
        var idle = _site.LogIn(isid: 3);
        var initiator = _site.LogIn("InitialR2T=Yes ImmediateData=No").SaysWrite(1, 0, 512).HearsR2T(1, 0, 0, 512, out _)
            .SaysManagement(5, TaskManagementFunction.ClearTaskSet);
        loses.Turns();
        idle.Turns();
        initiator.Turns().HearsManagement(5, TaskManagementResponse.FunctionComplete).SaysCommand(6, TestUnitReady).HearsStatus(6);
        idle.SaysCommand(2, TestUnitReady).HearsStatus(2);
        loses.SaysCommand(2, TestUnitReady).HearsSense(2, 0x062F00).SaysCommand(3, TestUnitReady).HearsStatus(3);
    }

    [Fact]
    public void PREEMPT_AND_ABORT_ends_the_commands_of_whom_it_puts_out()
    {
        // SPC-4 §5.12.11.2.6, SAM-5 §5.6.3.
        var victim = _site.LogIn("InitialR2T=Yes MaxConnections=2", 2)
            .SaysReservation(1, 0, key: 0, actionKey: 0xA).HearsStatus(1);
        var second = _site.Connect().Joins(victim, 2).SaysWrite(2, 0, 512).HearsR2T(2, 0, 0, 512, out var tag);
        var bystander = _site.LogIn("InitialR2T=Yes ImmediateData=No", 3).SaysWrite(1, 8, 512).HearsR2T(1, 0, 0, 512, out var theirs);
        victim.CmdSN = second.CmdSN;
        _disk.Hold();
        victim.SaysRead(3, 0, 1);
        var initiator = _site.LogIn().SaysReservation(1, 0, key: 0, actionKey: 0xB).HearsStatus(1)
            .SaysReservation(2, 5, key: 0xB, actionKey: 0xA).HearsNothing();
        victim.Wakes();
        second.Wakes();
        initiator.HearsNothing();
        _disk.LetGo();
        victim.Wakes().HearsNothing();
        initiator.Wakes().HearsStatus(2);
        second.SaysData(2, tag, 0, 0, Pattern(512), final: true).HearsNothing();
        victim.SaysCommand(4, TestUnitReady).HearsSense(4, 0x062A05)
            .SaysCommand(5, TestUnitReady).HearsSense(5, 0x062F00)
            .SaysCommand(6, TestUnitReady).HearsStatus(6);
        bystander.SaysData(1, theirs, 0, 0, Pattern(512), final: true).HearsStatus(1);
        Assert.Equal(new byte[512], _site.Read(0, 512));
    }

    [Fact]
    public void PREEMPT_AND_ABORT_does_not_wait_for_itself() => _site.LogIn()
        .SaysReservation(1, 0, key: 0, actionKey: 0xA).HearsStatus(1)
        // Without a reservation the sender's own key may go like any other (SPC-4 §5.12.11.2.4).
        .SaysReservation(2, 5, key: 0xA, actionKey: 0xA).HearsStatus(2)
        .SaysCommand(3, TestUnitReady).HearsStatus(3);

    [Fact]
    public void Two_that_preempt_and_abort_each_other_both_end()
    {
        var one = _site.LogIn(isid: 1).SaysReservation(1, 0, key: 0, actionKey: 0xA).HearsStatus(1);
        var two = _site.LogIn(isid: 2).SaysReservation(1, 0, key: 0, actionKey: 0xB).HearsStatus(1);
        // The first waits for a command of the second's that the unit does not let go of.
        _disk.Hold();
        two.SaysRead(2, 0, 1);
        one.SaysReservation(2, 5, key: 0xA, actionKey: 0xB).HearsNothing();
        two.SaysReservation(3, 6, key: 0, actionKey: 0xB).HearsSense(3, 0x062A05)
            .SaysReservation(4, 6, key: 0, actionKey: 0xB).HearsStatus(4)
            .SaysReservation(5, 5, key: 0xB, actionKey: 0xA).HearsNothing();
        // Each waits for the other's, and neither loop has heard of it yet.
        one.Wakes();
        _disk.LetGo();
        two.Wakes();
        one.Wakes();
        two.Wakes();
        one.SaysCommand(6, TestUnitReady).HearsSense(6, 0x062A05)
            .SaysCommand(7, TestUnitReady).HearsSense(7, 0x062F00)
            .SaysCommand(8, TestUnitReady).HearsStatus(8);
        two.HearsNothing().SaysCommand(6, TestUnitReady).HearsSense(6, 0x062F00)
            .SaysCommand(7, TestUnitReady).HearsStatus(7);
    }

    [Fact]
    public void A_cold_reset_ends_every_session()
    {
        var other = _site.LogIn(isid: 2);
        var initiator = _site.LogIn().SaysManagement(5, TaskManagementFunction.TargetColdReset);
        other.Turns();
        initiator.Turns().HearsManagement(5, TaskManagementResponse.FunctionComplete);
        initiator.Forgets().IsClosed("target cold reset");
        other.Forgets().IsClosed("target cold reset");
        _site.LogIn().SaysNop(1).HearsNop(1);
    }

    [Fact]
    public void A_logout_for_recovery_or_for_no_known_reason_leaves_the_session_as_it_is() => _site.LogIn()
        // §11.14.1, §11.15.1.
        .SaysLogout(1, LogoutReason.RemoveForRecovery).HearsLogout(1, LogoutResult.RecoveryNotSupported)
        .SaysLogout(2, (LogoutReason)3).HearsReject(RejectReason.InvalidPduField)
        .SaysCommand(3, TestUnitReady).HearsStatus(3);

    [Fact]
    public void TASK_REASSIGN_needs_a_higher_recovery_level() => _site.LogIn()
        .SaysManagement(1, TaskManagementFunction.TaskReassign, reference: 7)
        .HearsManagement(1, TaskManagementResponse.TaskReassignNotSupported);

    [Fact]
    public void What_cannot_be_is_refused() => _site.LogIn()
        .SaysManagement(1, TaskManagementFunction.ClearAca).HearsManagement(1, TaskManagementResponse.NotSupported)
        .SaysManagement(2, (TaskManagementFunction)77).HearsManagement(2, TaskManagementResponse.NotSupported)
        .SaysManagement(3, TaskManagementFunction.LogicalUnitReset, lun: 0x0005_0000_0000_0000)
        .HearsManagement(3, TaskManagementResponse.LunDoesNotExist);

    [Fact]
    public void A_session_that_breaks_off_ends_when_the_unit_has_let_go()
    {
        _disk.Hold();
        var initiator = _site.LogIn().SaysRead(1, 0, 1).HangsUp();
        initiator.Wakes();
        Assert.True(initiator.Connection.HasEnded);
        Assert.Single(_site.Events.OfType<Closed>());
    }
}
