using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Target;
using Slipway.Scsi;
using static Slipway.Iscsi.Tests.ScriptedInitiator;

namespace Slipway.Iscsi.Tests.FullFeature;

/// <summary>What a target says of its own accord: NOP-In and Async Messages (RFC 7143 §11.9, §11.19).</summary>
public class LivenessTests
{
    private const ulong IpxeIsid = 0x4000_2723_0000;
    private readonly Site _site = new();

    [Theory]
    [InlineData(0x4000_2723_0000UL, true)]
    [InlineData(0x4000_2723_ABCDUL, true)]
    [InlineData(0x0002_3D00_0000UL, false)]
    [InlineData(0x8000_2723_0000UL, false)]
    public void iPXE_is_known_by_its_ISID(ulong isid, bool isIpxe)
    {
        _site.LogIn(isid: isid);
        Assert.Equal(isIpxe, _site.Single<LoggedIn>().Facts.IsIpxe);
    }

    [Fact]
    public void An_idle_connection_sends_a_NOP_In_that_wants_no_answer()
    {
        var initiator = _site.LogIn();
        initiator.Connection.KeepAlive();
        initiator.Turns().HearsNothing();
        for (var i = 0; i < 3; i++)
        {
            initiator.Connection.KeepAlive();
            initiator.Turns().Hears(Opcode.NopIn, out var ping).HearsNothing();
            Assert.Equal((PduHeader.ReservedTag, PduHeader.ReservedTag), (ping.Tag, new NopInPdu(ping.Bytes).TargetTransferTag));
            Assert.True(ping.Header.Final);
        }
        // Nobody answered, and nothing came of it. An answer is heard, and not answered.
        initiator.IsOpen().SaysNop(PduHeader.ReservedTag).HearsNothing().SaysCommand(1, TestUnitReady).HearsStatus(1);
        initiator.Connection.KeepAlive();
        initiator.Turns().HearsNothing();
    }

    [Fact]
    public void iPXE_is_left_alone()
    {
        var initiator = _site.LogIn(isid: IpxeIsid);
        for (var i = 0; i < 3; i++)
            initiator.Connection.KeepAlive();
        initiator.Connection.RequestLogout(TimeSpan.FromSeconds(5));
        initiator.Turns().HearsNothing().IsOpen();
        initiator.Connection.Drop("the server stops");
        initiator.Turns().HearsNothing().IsClosed("the server stops");
    }

    [Fact]
    public void A_login_that_is_not_through_gets_no_NOP_In()
    {
        var initiator = _site.Connect().SaysLogin(LoginStage.OperationalNegotiation, null, Names).Hears(Opcode.LoginResponse, out _);
        for (var i = 0; i < 3; i++)
            initiator.Connection.KeepAlive();
        initiator.Turns().HearsNothing();
        initiator.Connection.Drop("the server stops");
        initiator.Turns().HearsNothing().IsClosed("the server stops");
    }

    [Fact]
    public void A_logout_is_asked_for()
    {
        var initiator = _site.LogIn();
        initiator.Connection.RequestLogout(TimeSpan.FromSeconds(5));
        HearsEvent(initiator.Turns(), AsyncEvent.LogoutRequested, 5).HearsNothing().IsOpen()
            .SaysCommand(1, TestUnitReady).HearsStatus(1)
            .SaysLogout(2).HearsLogout(2).IsClosed("the initiator logged out");
    }

    [Fact]
    public void A_session_that_is_dropped_is_told_so()
    {
        var initiator = _site.LogIn("HeaderDigest=CRC32C DataDigest=CRC32C");
        initiator.Connection.Drop("the server stops");
        initiator.Connection.Drop("once more");
        HearsEvent(initiator.Turns(), AsyncEvent.AllConnectionsDropped, 0).HearsNothing().IsClosed("the server stops");
        Assert.Equal("the server stops", _site.Single<Closed>().Reason);
    }

    [Fact]
    public void Others_learn_of_a_cold_reset()
    {
        var other = _site.LogIn(isid: 2);
        var initiator = _site.LogIn().SaysManagement(5, TaskManagementFunction.TargetColdReset);
        HearsEvent(other.Turns(), AsyncEvent.AllConnectionsDropped, 0).IsClosed("cold reset");
        initiator.Turns().HearsManagement(5, TaskManagementResponse.FunctionComplete).IsClosed("cold reset");
    }

    /// <summary>The device is free when the task completes: nothing of the old sessions will write any more.</summary>
    [Fact]
    public async Task Sessions_end_with_what_they_have_under_way()
    {
        var disk = new GatedDisk(1 << 20) { IgnoresCancellation = true }.Hold();
        var site = new Site(disk: disk);
        var (busy, idle) = (site.LogIn(isid: 1).SaysRead(1, 0, 1), site.LogIn(isid: 2));
        var ending = site.Node.EndSessionsAsync(site.Device, "the machine boots anew");
        busy.Wakes().IsClosed("boots anew");
        idle.Turns().IsClosed("boots anew");
        Assert.False(ending.IsCompleted);
        disk.LetGo();
        busy.Wakes();
        await ending.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    private static ScriptedInitiator HearsEvent(ScriptedInitiator initiator, AsyncEvent what, ushort seconds)
    {
        initiator.Hears(Opcode.AsyncMessage, out var reply);
        var message = new AsyncMessagePdu(reply.Bytes);
        Assert.Equal((what, (ushort)0, seconds, PduHeader.ReservedTag, 0UL), (message.Event, message.Parameter2, message.Parameter3, reply.Tag, message.Lun));
        Assert.True(message.Header.Final);
        return initiator;
    }
}
