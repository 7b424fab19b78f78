using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Target;
using Slipway.Scsi;
using static Slipway.Iscsi.Tests.ScriptedInitiator;

namespace Slipway.Iscsi.Tests.FullFeature;

/// <summary>Several connections in one session (RFC 7143 §4.2.2, §6.3.3, §6.3.4, §11.14), each with a loop of its own.</summary>
public sealed class ConnectionsTests : IAsyncDisposable
{
    private const string Several = "MaxConnections=16 ";
    private readonly GatedDisk _disk = new(1 << 20);
    private readonly Site _site;

    public ConnectionsTests() => _site = new(disk: _disk);

    public ValueTask DisposeAsync() => _disk.DisposeAsync();

    private (ScriptedInitiator First, ScriptedInitiator Second) Two(string keys = "")
    {
        var first = _site.LogIn(Several + keys);
        return (first, _site.Connect().Joins(first, 2));
    }

    [Fact]
    public void A_session_has_as_many_connections_as_were_agreed_on()
    {
        var first = _site.LogIn("MaxConnections=3");
        var second = _site.Connect().Joins(first, 2);
        _site.Connect().Joins(first, 3);
        _site.Connect().SaysJoin(first, 4).HearsRefusal(LoginStatus.TooManyConnections, "the session has the 3 connections");
        second.SaysLogout(1, LogoutReason.CloseConnection).HearsLogout(1).HangsUp();
        _site.Connect().Joins(first, 4).SaysNop(1).HearsNop(1);
        Assert.Equal(3, _site.Events.OfType<ConnectionAdded>().Count());
        Assert.Single(_site.Events.OfType<LoggedIn>());
    }

    [Fact]
    public void Who_did_not_ask_for_more_has_one()
    {
        var first = _site.LogIn();
        _site.Connect().SaysJoin(first, 2).HearsRefusal(LoginStatus.TooManyConnections, "1 connections");
        first.SaysNop(1).HearsNop(1);
    }

    [Fact]
    public void Eight_are_the_most()
    {
        var first = _site.LogIn(Several);
        for (ushort cid = 2; cid <= 8; cid++)
            _site.Connect().Joins(first, cid);
        _site.Connect().SaysJoin(first, 9).HearsRefusal(LoginStatus.TooManyConnections, "8 connections");
    }

    [Theory]
    [InlineData(14)]
    [InlineData(8)]
    public void Only_the_initiator_port_of_the_session_joins_it(int changed)
    {
        var first = _site.LogIn(Several);
        _site.Connect().Do(i => (i.Tsih, i.Cid) = (first.Tsih, 2))
            .SaysLogin(LoginStage.OperationalNegotiation, LoginStage.FullFeaturePhase, Names, with: b => b[changed] ^= 1)
            .HearsRefusal(LoginStatus.SessionDoesNotExist, "no session has this handle");
        _site.Connect().Do(i => (i.Tsih, i.Cid) = (first.Tsih, 2))
            .SaysLogin(LoginStage.OperationalNegotiation, LoginStage.FullFeaturePhase, Names.Replace(":host", ":guest", StringComparison.Ordinal))
            .HearsRefusal(LoginStatus.SessionDoesNotExist, "no session has this handle");
        first.Turns().SaysNop(1).HearsNop(1);
    }

    [Fact]
    public void Another_connection_agrees_on_its_own_and_takes_over_the_rest()
    {
        var first = _site.LogIn(Several + "InitialR2T=Yes ImmediateData=No MaxBurstLength=512");
        var second = _site.Connect().SaysJoin(first, 2, "HeaderDigest=CRC32C DataDigest=CRC32C MaxRecvDataSegmentLength=512 MaxBurstLength=65536 InitialR2T=No ErrorRecoveryLevel=0")
            .Hears(Opcode.LoginResponse, out var reply)
            .Do(i => i.HeaderDigest = i.DataDigest = true);
        Assert.Equal(
            "TargetPortalGroupTag=1 HeaderDigest=CRC32C DataDigest=CRC32C MaxBurstLength=Irrelevant InitialR2T=Irrelevant ErrorRecoveryLevel=Irrelevant MaxRecvDataSegmentLength=262144", reply.Text);
        second.SaysWrite(1, 0, 1024).HearsR2T(1, 0, 0, 512, out _);
        first.CmdSN = second.CmdSN;
        first.SaysRead(2, 0, 2).Hears(Opcode.DataIn, out var data);
        Assert.Equal(512, data.Data.Length);
    }

    [Fact]
    public void Commands_run_in_the_order_of_the_session()
    {
        var (first, second) = Two();
        var (one, two) = (Pattern(512, 1), Pattern(512, 2));
        first.SaysCommand(3, Read10(0, 1), read: 512, cmdSN: 102);
        second.SaysCommand(2, Write10(0, 1), write: 512, data: two, cmdSN: 101).HearsNothing();
        first.HearsNothing().SaysCommand(1, Write10(0, 1), write: 512, data: one, cmdSN: 100).HearsStatus(1).HearsNothing();
        second.Turns().HearsStatus(2).HearsNothing();
        first.Turns().HearsData(3, two);
    }

    [Fact]
    public void What_is_due_on_another_connection_is_not_taken_twice()
    {
        var (first, second) = Two();
        second.SaysCommand(2, TestUnitReady, cmdSN: 101);
        first.SaysCommand(1, TestUnitReady, cmdSN: 100).HearsStatus(1)
            // It has come, and waits for its connection's loop.
            .SaysCommand(3, TestUnitReady, cmdSN: 101).HearsNothing();
        second.Turns().HearsStatus(2);
        first.SaysCommand(4, TestUnitReady, cmdSN: 102).HearsStatus(4);
    }

    [Fact]
    public void The_window_is_the_sessions()
    {
        var site = new Site(new TargetLimits { SessionTasks = 4 }, _disk.Hold());
        var first = site.LogIn(Several);
        var second = site.Connect().Joins(first, 2);
        first.SaysRead(1, 0, 1).SaysRead(2, 0, 1);
        second.SaysCommand(3, Read10(0, 1), read: 512, cmdSN: 102).SaysCommand(4, Read10(0, 1), read: 512, cmdSN: 103);
        second.SaysNop(10).Hears(Opcode.NopIn, out var full);
        Assert.Equal((104u, 103u), (full.ExpCmdSN, full.MaxCmdSN));
        first.SaysCommand(5, Read10(0, 1), read: 512, cmdSN: 104);
        Assert.Equal(4, _disk.Held);
        // A tag is the session's, too.
        second.SaysCommand(1, Read10(0, 1), read: 512, immediate: true).HearsReject(RejectReason.TaskInProgress);
        _disk.LetGo();
        first.Wakes();
        second.Wakes();
    }

    [Fact]
    public void Data_comes_by_the_connection_of_its_command()
    {
        var (first, second) = Two("InitialR2T=Yes ImmediateData=No");
        first.SaysWrite(1, 0, 512).HearsR2T(1, 0, 0, 512, out var tag);
        second.SaysData(1, tag, 0, 0, Pattern(512, 9), final: true).HearsNothing();
        first.SaysData(1, tag, 0, 0, Pattern(512), final: true).HearsStatus(1);
        Assert.Equal(Pattern(512), _site.Read(0, 512));
    }

    [Fact]
    public void A_session_lives_as_long_as_one_of_its_connections()
    {
        var (first, second) = Two();
        _disk.Hold();
        first.SaysRead(1, 0, 1).HangsUp();
        second.SaysCommand(2, TestUnitReady, cmdSN: 101).HearsStatus(2);
        _disk.LetGo();
        first.Wakes();
        Assert.True(first.Connection.HasEnded);
        Assert.Equal(1, _site.Single<ConnectionClosed>().Cid);
        Assert.Empty(_site.Events.OfType<Closed>());
        second.SaysCommand(3, TestUnitReady, cmdSN: 102).HearsStatus(3).HangsUp();
        Assert.Single(_site.Events.OfType<Closed>());
    }

    [Fact]
    public void What_a_lost_connection_held_back_has_come()
    {
        var (first, second) = Two();
        second.SaysCommand(3, TestUnitReady, cmdSN: 102).HearsNothing();
        first.SaysCommand(2, TestUnitReady, cmdSN: 101).HangsUp();
        second.SaysCommand(1, TestUnitReady, cmdSN: 100).HearsStatus(1).HearsStatus(3).HearsNothing();
    }

    [Fact]
    public void A_turn_is_passed_on_by_a_connection_that_is_lost()
    {
        var (first, second) = Two();
        second.SaysCommand(3, TestUnitReady, cmdSN: 102);
        first.SaysCommand(2, TestUnitReady, cmdSN: 101);
        var third = _site.Connect().Joins(first, 3);
        third.SaysCommand(1, TestUnitReady, cmdSN: 100).HearsStatus(1);
        first.HangsUp();
        second.Turns().HearsStatus(3);
    }

    [Fact]
    public void A_connection_takes_the_place_of_its_elder()
    {
        var (first, second) = Two();
        _disk.Hold();
        second.SaysRead(1, 0, 1);
        var younger = _site.Connect().SaysJoin(second, 2).HearsNothing();
        // RFC 7143 §6.3.4: what the elder has under way ends, unheard, and the session goes on.
        second.Wakes().IsClosed("connection reinstatement");
        younger.HearsNothing();
        first.SaysNop(9).HearsNop(9);
        _disk.LetGo();
        second.Wakes();
        younger.Wakes().Enters().SaysCommand(1, TestUnitReady).HearsStatus(1);
        Assert.Equal(first.Tsih, younger.Tsih);
        Assert.Empty(_site.Events.OfType<Closed>());
        first.SaysNop(10).HearsNop(10);
    }

    [Fact]
    public void The_only_connection_is_reinstated_too()
    {
        var first = _site.LogIn().SaysCommand(1, TestUnitReady).HearsStatus(1);
        var younger = _site.Connect().SaysJoin(first, first.Cid);
        first.Turns().IsClosed("connection reinstatement");
        younger.Turns().Enters().SaysCommand(1, TestUnitReady).HearsStatus(1);
        Assert.Empty(_site.Events.OfType<Closed>());
        younger.HangsUp();
        Assert.Single(_site.Events.OfType<Closed>());
    }

    [Fact]
    public void Of_two_that_reinstate_the_later_one_stays()
    {
        _disk.Hold();
        var first = _site.LogIn().SaysRead(1, 0, 1);
        var (second, third) = (_site.Connect().SaysJoin(first, first.Cid), _site.Connect().SaysJoin(first, first.Cid));
        first.Wakes().IsClosed("connection reinstatement");
        _disk.LetGo();
        first.Wakes();
        second.Turns();
        third.Turns();
        second.Turns().Forgets().IsClosed("connection reinstatement");
        third.Turns().Enters().SaysNop(1).HearsNop(1).HangsUp();
        Assert.Single(_site.Events.OfType<Closed>());
    }

    [Fact]
    public void One_that_waits_for_its_elder_may_be_lost()
    {
        var (first, second) = Two();
        _disk.Hold();
        second.SaysRead(1, 0, 1);
        var younger = _site.Connect().SaysJoin(second, 2);
        second.Wakes().IsClosed("connection reinstatement");
        younger.HangsUp();
        _disk.LetGo();
        second.Wakes();
        Assert.True(younger.Turns().Connection.HasEnded);
        first.HangsUp();
        Assert.Single(_site.Events.OfType<Closed>());
        _site.LogIn().SaysNop(1).HearsNop(1);
    }

    [Fact]
    public void Logout_of_the_session_ends_all_its_connections()
    {
        var (first, second) = Two();
        _disk.Hold();
        second.SaysRead(1, 0, 1);
        first.SaysLogout(2, cid: 77).HearsNothing();
        // Nobody comes in any more.
        _site.Connect().SaysJoin(first, 3).HearsRefusal(LoginStatus.SessionDoesNotExist, "the session has ended");
        first.Turns().HearsNothing();
        second.Wakes().IsClosed("logged out").Wakes();
        first.Turns().HearsLogout(2).IsClosed("logged out");
        Assert.Single(_site.Events.OfType<Closed>());
    }

    [Fact]
    public void Logout_of_one_connection_by_itself_or_by_another()
    {
        var (first, second) = Two();
        var third = _site.Connect().Joins(first, 3);
        second.SaysLogout(1, LogoutReason.CloseConnection).HearsLogout(1).IsClosed("logged out");
        first.SaysLogout(2, LogoutReason.CloseConnection, cid: 2).HearsLogout(2, LogoutResult.CidNotFound)
            .SaysLogout(3, LogoutReason.RemoveForRecovery, cid: 3).HearsLogout(3, LogoutResult.RecoveryNotSupported)
            .SaysLogout(4, LogoutReason.CloseConnection, cid: 3).HearsNothing();
        third.Turns().IsClosed("logged out");
        first.Turns().HearsLogout(4).IsOpen().SaysNop(5).HearsNop(5);
    }

    [Fact]
    public void A_task_is_aborted_from_another_connection()
    {
        var (first, second) = Two("InitialR2T=Yes ImmediateData=No");
        first.SaysWrite(1, 0, 512).HearsR2T(1, 0, 0, 512, out var tag);
        second.SaysManagement(2, TaskManagementFunction.TaskReassign, reference: 1).HearsManagement(2, TaskManagementResponse.TaskReassignNotSupported)
            .SaysManagement(3, TaskManagementFunction.AbortTask, reference: 1, refCmdSN: 100).HearsNothing();
        first.Turns();
        second.Turns().HearsManagement(3, TaskManagementResponse.FunctionComplete);
        first.SaysData(1, tag, 0, 0, Pattern(512), final: true).HearsNothing();
        Assert.Equal(new byte[512], _site.Read(0, 512));
    }

    [Theory]
    [InlineData(TaskManagementFunction.AbortTaskSet)]
    [InlineData(TaskManagementFunction.ClearTaskSet)]
    [InlineData(TaskManagementFunction.LogicalUnitReset)]
    [InlineData(TaskManagementFunction.TargetWarmReset)]
    public void A_function_on_many_tasks_reaches_all_connections(TaskManagementFunction function)
    {
        var (first, second) = Two("InitialR2T=Yes ImmediateData=No");
        _disk.Hold();
        first.SaysRead(1, 0, 1);
        second.SaysCommand(2, Write10(0, 1), write: 512, cmdSN: 101).HearsR2T(2, 0, 0, 512, out var tag);
        second.CmdSN = 102;
        second.SaysManagement(3, function).HearsNothing()
            .SaysData(2, tag, 0, 0, Pattern(512), final: true).HearsNothing();
        first.Wakes().HearsNothing();
        second.Turns().HearsNothing();
        _disk.LetGo();
        first.Wakes().HearsNothing();
        second.Wakes().HearsManagement(3, TaskManagementResponse.FunctionComplete);
    }

    [Fact]
    public void A_cold_reset_ends_all_connections()
    {
        var (first, second) = Two();
        first.SaysManagement(3, TaskManagementFunction.TargetColdReset);
        second.Turns().Forgets().IsClosed("cold reset");
        first.Turns().HearsManagement(3, TaskManagementResponse.FunctionComplete).IsClosed("cold reset");
        Assert.Single(_site.Events.OfType<Closed>());
    }

    [Fact]
    public void A_session_takes_the_place_of_one_with_several_connections()
    {
        var (first, second) = Two();
        var younger = _site.Connect().SaysLogin(LoginStage.OperationalNegotiation, LoginStage.FullFeaturePhase, Names).HearsNothing();
        first.Turns().IsClosed("session reinstatement");
        younger.Turns().HearsNothing();
        _site.Connect().SaysJoin(first, 3).HearsRefusal(LoginStatus.SessionDoesNotExist, "the session has ended");
        second.Turns().IsClosed("session reinstatement");
        younger.Turns().Enters().SaysNop(1).HearsNop(1);
        Assert.Single(_site.Events.OfType<Closed>());
    }
}
