using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Target;
using Slipway.Scsi;
using static Slipway.Iscsi.Tests.ScriptedInitiator;

namespace Slipway.Iscsi.Tests.FullFeature;

/// <summary>CmdSN, the command window, NOP, logout, and PDUs that have no place (RFC 7143 §4.2.2, §11.14, §11.18).</summary>
public class OrderTests
{
    private readonly Site _site = new();

    [Fact]
    public void Commands_run_in_the_order_of_their_CmdSN()
    {
        var (one, two) = (Pattern(512, 1), Pattern(512, 2));
        _site.LogIn()
            .SaysCommand(3, Read10(0, 1), read: 512, cmdSN: 102)
            .SaysCommand(2, Write10(0, 1), write: 512, data: two, cmdSN: 101).HearsNothing()
            .SaysCommand(1, Write10(0, 1), write: 512, data: one, cmdSN: 100)
            .HearsStatus(1).HearsStatus(2).HearsData(3, two);
    }

    [Fact]
    public void What_comes_twice_or_outside_the_window_is_ignored() => _site.LogIn()
        .SaysNop(1, immediate: false, cmdSN: 100).HearsNop(1)
        .SaysNop(2, immediate: false, cmdSN: 100).HearsNothing()
        .SaysNop(3, immediate: false, cmdSN: 99).HearsNothing()
        .SaysCommand(4, TestUnitReady, cmdSN: 100).HearsNothing()
        .SaysCommand(5, Write10(0, 1), write: 512, data: Pattern(512), cmdSN: 100_000).HearsNothing()
        .SaysNop(6, immediate: false, cmdSN: 102).SaysNop(7, immediate: false, cmdSN: 102).HearsNothing()
        .SaysCommand(8, TestUnitReady, cmdSN: 101).HearsStatus(8).HearsNop(6).HearsNothing();

    [Fact]
    public void Texts_and_pings_before_their_turn_have_little_room()
    {
        var ping = Pattern(40_000);
        _site.LogIn()
            .SaysNop(2, ping, immediate: false, cmdSN: 101)
            .SaysNop(3, ping, immediate: false, cmdSN: 102).HearsReject(RejectReason.LongOperationReject)
            .SaysNop(4, ping[..20_000], immediate: false, cmdSN: 103).HearsNothing()
            // What is outside the window is no more than ignored.
            .SaysNop(5, ping, immediate: false, cmdSN: 100_000).HearsNothing()
            .SaysCommand(1, TestUnitReady, cmdSN: 100).HearsStatus(1).HearsNop(2, ping[..8192]).HearsNothing()
            // The one that was refused comes again.
            .SaysNop(3, ping, immediate: false, cmdSN: 102).HearsNop(3, ping[..8192]).HearsNop(4, ping[..8192]).HearsNothing()
            .Do(i => i.CmdSN = 104)
            .SaysNop(6, ping, immediate: false, cmdSN: 105).HearsNothing();
    }

    [Fact]
    public void CmdSN_goes_round()
    {
        var initiator = _site.Connect().Do(i => i.CmdSN = uint.MaxValue - 1).LogsIn();
        for (var tag = 1u; tag < 6; tag++)
            initiator.SaysCommand(tag, TestUnitReady).HearsStatus(tag);
        initiator.SaysCommand(7, TestUnitReady, cmdSN: initiator.CmdSN + 1).HearsNothing()
            .SaysCommand(8, TestUnitReady).HearsStatus(8).HearsStatus(7);
    }

    [Fact]
    public void The_window_closes_as_commands_live_and_opens_as_they_end()
    {
        var disk = new GatedDisk(1 << 20).Hold();
        var site = new Site(new TargetLimits { SessionTasks = 4 }, disk);
        var initiator = site.LogIn();
        for (var tag = 0u; tag < 4; tag++)
            initiator.SaysRead(tag, 0, 1);
        initiator.SaysNop(10).Hears(Opcode.NopIn, out var full);
        Assert.Equal((104u, 103u), (full.ExpCmdSN, full.MaxCmdSN));
        initiator.SaysRead(4, 0, 1);
        Assert.Equal(4, disk.Held);
        initiator.CmdSN--;
        disk.LetGo();
        initiator.Wakes();
        for (var i = 0u; i < 4; i++)
        {
            initiator.Hears(Opcode.DataIn, out var reply);
            Assert.Equal(104 + i, reply.MaxCmdSN);
        }
        initiator.SaysRead(4, 0, 1).HearsData(4, out _);
    }

    [Fact]
    public void Immediate_commands_are_bounded_too()
    {
        var disk = new GatedDisk(1 << 20).Hold();
        var initiator = new Site(new TargetLimits { SessionTasks = 4 }, disk).LogIn();
        for (var tag = 0u; tag < 6; tag++)
            initiator.SaysCommand(tag, Read10(0, 1), read: 512, immediate: true);
        initiator.HearsNothing()
            .SaysCommand(6, Read10(0, 1), read: 512, immediate: true).HearsReject(RejectReason.ImmediateCommandReject);
        Assert.Equal(6, disk.Held);
    }

    [Fact]
    public void A_tag_that_lives_is_not_given_again()
    {
        var disk = new GatedDisk(1 << 20).Hold();
        var initiator = new Site(disk: disk).LogIn()
            .SaysRead(1, 0, 1).SaysRead(1, 8, 1).HearsReject(RejectReason.TaskInProgress)
            .SaysCommand(PduHeader.ReservedTag, TestUnitReady, cmdSN: 101).HearsReject(RejectReason.InvalidPduField);
        disk.LetGo();
        initiator.Wakes().HearsData(1, out _).SaysCommand(1, TestUnitReady, cmdSN: 101).HearsStatus(1);
    }

    /// <summary>RFC 7143 §7.3: the initiator fills the gap by a request of the same CmdSN, or by aborting the task.</summary>
    [Fact]
    public void What_is_rejected_has_not_come()
    {
        var initiator = _site.LogIn()
            .SaysCommand(1, Read10(0, 1), read: 512, data: Pattern(512)).HearsReject(RejectReason.InvalidPduField)
            .SaysNop(2, immediate: false).HearsNothing()
            .SaysCommand(3, TestUnitReady, cmdSN: 100).HearsStatus(3).HearsNop(2);
        initiator.SaysCommand(4, Read10(0, 1), read: 512, data: Pattern(512)).HearsReject(RejectReason.InvalidPduField)
            .SaysNop(5, immediate: false).HearsNothing()
            .SaysManagement(6, TaskManagementFunction.AbortTask, reference: 4, refCmdSN: 102)
            .HearsNop(5).HearsManagement(6, TaskManagementResponse.FunctionComplete);
        var header = new byte[PduHeader.Size];
        header[0] = 0x1C;
        initiator.Says(header).Hears(Opcode.Reject, out var reject);
        Assert.Equal(104u, reject.ExpCmdSN);
    }

    [Fact]
    public void A_command_that_comes_again_before_its_turn_is_ignored() => _site.LogIn()
        .SaysCommand(2, TestUnitReady, cmdSN: 101).SaysCommand(2, TestUnitReady, cmdSN: 101).HearsNothing()
        .SaysCommand(1, TestUnitReady, cmdSN: 100).HearsStatus(1).HearsStatus(2).HearsNothing();

    [Fact]
    public void A_ping_comes_back()
    {
        var ping = Pattern(100);
        _site.LogIn()
            .SaysNop(1, ping).HearsNop(1, ping)
            .SaysNop(2, ping, immediate: false).HearsNop(2, ping)
            .SaysNop(PduHeader.ReservedTag).HearsNothing();
        // RFC 7143 §11.18.2: cut to what the initiator takes.
        _site.LogIn("MaxRecvDataSegmentLength=512", 2).SaysNop(1, Pattern(1000)).HearsNop(1, Pattern(1000)[..512]);
    }

    [Fact]
    public void Logout_of_the_session()
    {
        var initiator = _site.LogIn().SaysLogout(1).HearsLogout(1);
        Assert.True(initiator.Connection.ShouldClose);
        initiator.HangsUp();
        Assert.Equal("the initiator logged out", _site.Single<Closed>().Reason);
        Assert.True(initiator.Connection.HasEnded);
    }

    [Fact]
    public void Logout_of_the_connection() => _site.LogIn()
        .SaysLogout(1, LogoutReason.CloseConnection, cid: 7, immediate: false).HearsLogout(1, LogoutResult.CidNotFound)
        .SaysLogout(2, LogoutReason.RemoveForRecovery, immediate: false).HearsLogout(2, LogoutResult.RecoveryNotSupported)
        .IsOpen()
        .SaysLogout(3, LogoutReason.CloseConnection, immediate: false).HearsLogout(3)
        .IsClosed("logged out");

    [Fact]
    public void Logout_waits_for_what_runs()
    {
        var disk = new GatedDisk(1 << 20).Hold();
        var initiator = new Site(disk: disk).LogIn().SaysRead(1, 0, 1).SaysLogout(2).HearsNothing().IsOpen();
        disk.LetGo();
        initiator.Wakes().HearsLogout(2).HearsNothing().IsClosed("logged out");
    }

    [Fact]
    public void Nothing_is_heard_after_a_logout() => _site.LogIn()
        .SaysLogout(1).HearsLogout(1).SaysNop(2).HearsNothing();

    [Fact]
    public void A_session_takes_the_place_of_its_elder()
    {
        var disk = new GatedDisk(1 << 20).Hold();
        var site = new Site(disk: disk);
        var older = site.LogIn().SaysRead(1, 0, 1);
        var younger = site.Connect().SaysLogin(LoginStage.OperationalNegotiation, LoginStage.FullFeaturePhase, Names).HearsNothing();
        // RFC 7143 §6.3.5: what the elder has under way ends first.
        older.Turns().IsClosed("session reinstatement");
        younger.HearsNothing();
        older.Wakes();
        younger.Wakes().Enters().SaysNop(1).HearsNop(1);
        Assert.NotEqual(older.Tsih, younger.Tsih);
        Assert.Single(site.Events.OfType<Closed>());
    }

    [Fact]
    public void Another_ISID_is_another_session()
    {
        var first = _site.LogIn(isid: 1);
        _site.LogIn(isid: 2).SaysNop(1).HearsNop(1);
        first.Turns().SaysNop(1).HearsNop(1);
    }

    [Theory]
    [InlineData(0x1C)]
    [InlineData(0x3F)]
    [InlineData(0x21)]
    [InlineData(0x07)]
    public void An_opcode_that_does_not_exist_is_rejected(byte opcode)
    {
        var header = new byte[PduHeader.Size];
        header[0] = opcode;
        _site.LogIn().Says(header, Pattern(100)).HearsReject(RejectReason.CommandNotSupported).SaysNop(1).HearsNop(1);
    }

    [Fact]
    public void SNACK_belongs_to_a_higher_recovery_level()
    {
        var header = new byte[PduHeader.Size];
        header[0] = (byte)Opcode.SnackRequest;
        _site.LogIn().Says(header).HearsReject(RejectReason.SnackReject);
    }

    [Fact]
    public void Additional_headers_are_read_over()
    {
        var header = new byte[PduHeader.Size];
        var nop = NopOutPdu.Begin(header);
        nop.InitiatorTaskTag = 5;
        header[0] |= 0x40;
        header[1] = 0x80;
        header[4] = 255;
        _site.LogIn().SaysBytes([.. header, .. new byte[255 * 4]]).HearsNop(5);
    }

    [Fact]
    public void SCSI_has_no_place_in_a_discovery_session() => _site.Connect().Discovers()
        .SaysRead(1, 0, 1).HearsReject(RejectReason.ProtocolError)
        .SaysManagement(2, TaskManagementFunction.LogicalUnitReset).HearsReject(RejectReason.ProtocolError)
        .SaysNop(3).HearsNop(3)
        .SaysLogout(4).HearsLogout(4);
}
