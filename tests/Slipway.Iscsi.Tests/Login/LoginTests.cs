using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Target;
using static Slipway.Iscsi.Pdu.LoginStage;

namespace Slipway.Iscsi.Tests.Login;

/// <summary>RFC 7143 §6.3, §11.12, §11.13.</summary>
public class LoginTests
{
    private readonly Site _site = new();

    [Fact]
    public void Security_then_operational_then_full_feature_phase()
    {
        _site.Connect()
            .SaysLogin(SecurityNegotiation, OperationalNegotiation, $"{ScriptedInitiator.Names} AuthMethod=None InitiatorAlias=web01")
            .HearsLogin(SecurityNegotiation, OperationalNegotiation, "TargetPortalGroupTag=1 AuthMethod=None")
            .SaysLogin(OperationalNegotiation, FullFeaturePhase, "MaxRecvDataSegmentLength=65536 InitialR2T=No")
            .HearsLogin(OperationalNegotiation, FullFeaturePhase, "InitialR2T=No MaxRecvDataSegmentLength=262144")
            .SaysNop(5).HearsNop(5);
        var login = _site.Single<LoggedIn>();
        Assert.Equal((Site.Initiator, Site.Target, "web01"), (login.Facts.InitiatorName, login.Facts.TargetName, login.Facts.InitiatorAlias));
        Assert.Equal((ScriptedInitiator.DefaultIsid, 65536), (login.Facts.Isid, login.Session.InitiatorMaxRecvDataSegmentLength));
    }

    [Fact]
    public void One_initiator_port_has_a_session_with_each_portal_group()
    {
        ushort group = 1;
        var site = new Site { PortalGroup = _ => group };
        var first = site.LogIn();
        group = 2;
        // RFC 7143 §10.1.1: the same ISID is to be used with the groups of a target.
        site.Connect()
            .SaysLogin(OperationalNegotiation, FullFeaturePhase, ScriptedInitiator.Names)
            .HearsLogin(OperationalNegotiation, FullFeaturePhase, "TargetPortalGroupTag=2 MaxRecvDataSegmentLength=262144")
            .SaysNop(5).HearsNop(5);
        first.SaysNop(5).HearsNop(5);
    }

    [Fact]
    public void The_operational_stage_may_take_several_requests() => _site.Connect()
        .SaysLogin(OperationalNegotiation, null, $"{ScriptedInitiator.Names} InitialR2T=Yes")
        .HearsLogin(OperationalNegotiation, null, "TargetPortalGroupTag=1 InitialR2T=Yes MaxRecvDataSegmentLength=262144")
        .SaysLogin(OperationalNegotiation, null, "ImmediateData=No")
        .HearsLogin(OperationalNegotiation, null, "ImmediateData=No")
        .SaysLogin(OperationalNegotiation, FullFeaturePhase, "")
        .HearsLogin(OperationalNegotiation, FullFeaturePhase, "");

    [Fact]
    public void A_text_may_be_cut_anywhere()
    {
        var text = ScriptedInitiator.Pairs($"{ScriptedInitiator.Names} MaxBurstLength=4096");
        for (var cut = 1; cut < text.Length; cut++)
        {
            new Site().Connect()
                .SaysLogin(OperationalNegotiation, null, text[..cut], more: true)
                .HearsLogin(OperationalNegotiation, null, "")
                .SaysLogin(OperationalNegotiation, FullFeaturePhase, text[cut..])
                .HearsLogin(OperationalNegotiation, FullFeaturePhase, "TargetPortalGroupTag=1 MaxBurstLength=4096 MaxRecvDataSegmentLength=262144");
        }
    }

    [Fact]
    public void A_login_without_names_is_refused()
    {
        new Site().Connect().SaysLogin(OperationalNegotiation, FullFeaturePhase, $"TargetName={Site.Target}")
            .HearsRefusal(LoginStatus.MissingParameter, "InitiatorName");
        new Site().Connect().SaysLogin(OperationalNegotiation, FullFeaturePhase, $"InitiatorName={Site.Initiator}")
            .HearsRefusal(LoginStatus.MissingParameter, "TargetName");
        new Site().Connect().SaysLogin(OperationalNegotiation, FullFeaturePhase, $"{ScriptedInitiator.Names.Replace("Normal", "Other", StringComparison.Ordinal)}")
            .HearsRefusal(LoginStatus.SessionTypeNotSupported, "SessionType");
        new Site().Connect().SaysLogin(OperationalNegotiation, FullFeaturePhase, $"InitiatorName=host TargetName={Site.Target}")
            .HearsRefusal(LoginStatus.InitiatorError, "iSCSI name");
        new Site().Connect().SaysLogin(OperationalNegotiation, FullFeaturePhase, $"InitiatorName=iqn.{new string('a', 220)} TargetName={Site.Target}")
            .HearsRefusal(LoginStatus.InitiatorError, "iSCSI name");
    }

    [Theory]
    [InlineData(LoginStatus.NotFound, RefusalKind.UnknownTarget)]
    [InlineData(LoginStatus.AuthorizationFailure, RefusalKind.UnknownInitiator)]
    [InlineData(LoginStatus.ServiceUnavailable, RefusalKind.Other)]
    public void What_the_directory_refuses_is_refused_with_its_status(LoginStatus status, RefusalKind kind)
    {
        var site = new Site { Decide = _ => Admission.Refuse(status, "the directory's reason") };
        site.Connect().SaysLogin(OperationalNegotiation, FullFeaturePhase, ScriptedInitiator.Names)
            .HearsRefusal(status, "the directory's reason");
        Assert.Equal((status, kind), (site.Single<Refused>().Status, site.Single<Refused>().Kind));
    }

    [Fact]
    public void A_version_that_does_not_exist_is_refused() => _site.Connect()
        .SaysLogin(OperationalNegotiation, FullFeaturePhase, ScriptedInitiator.Names, with: b => (b[2], b[3]) = (2, 1))
        .HearsRefusal(LoginStatus.UnsupportedVersion, "version");

    [Fact]
    public void A_session_handle_that_nobody_has_is_refused() => _site.Connect().Do(i => i.Tsih = 4711)
        .SaysLogin(OperationalNegotiation, FullFeaturePhase, ScriptedInitiator.Names)
        .HearsRefusal(LoginStatus.SessionDoesNotExist, "handle");

    [Theory]
    [InlineData(0x82, "stage")] // to the stage that does not exist
    [InlineData(0x80, "no way")] // back to the stage that it is in
    [InlineData(0x8B, "stage")] // from the stage that does not exist
    [InlineData(0xC7, "both T and C")]
    public void Ways_between_stages_that_do_not_exist_are_refused(byte flags, string because) => _site.Connect()
        .SaysLogin(SecurityNegotiation, null, ScriptedInitiator.Names, with: b => b[1] = flags)
        .Hears(Opcode.LoginResponse, out var reply)
        .Do(_ => Assert.Equal(2, reply.Bytes[36]))
        .IsClosed(because);

    [Theory]
    [InlineData(8)]
    [InlineData(14)]
    [InlineData(16)]
    [InlineData(20)]
    public void What_names_the_login_does_not_change_on_the_way(int changed) => _site.Connect()
        .SaysLogin(OperationalNegotiation, null, ScriptedInitiator.Names)
        .Hears(Opcode.LoginResponse, out _)
        .SaysLogin(OperationalNegotiation, FullFeaturePhase, "", with: b => b[changed] ^= 1)
        .HearsRefusal(LoginStatus.InvalidDuringLogin, "changed during the login");

    [Fact]
    public void A_login_that_never_ends_is_ended()
    {
        var initiator = _site.Connect().SaysLogin(OperationalNegotiation, null, ScriptedInitiator.Names).Hears(Opcode.LoginResponse, out _);
        for (var i = 1; i < TargetLimits.Default.LoginRequests; i++)
            initiator.SaysLogin(OperationalNegotiation, null, "").HearsLogin(OperationalNegotiation, null, "");
        initiator.SaysLogin(OperationalNegotiation, null, "").HearsRefusal(LoginStatus.InitiatorError, "more than 32 requests");
    }

    [Fact]
    public void A_login_that_stands_still_is_given_up()
    {
        var initiator = _site.Connect().SaysLogin(OperationalNegotiation, null, ScriptedInitiator.Names).Hears(Opcode.LoginResponse, out _);
        _site.Clock.Now += TimeSpan.FromSeconds(29);
        initiator.Connection.CheckDeadline(_site.Clock.Now);
        initiator.IsOpen();
        _site.Clock.Now += TimeSpan.FromSeconds(1);
        initiator.Connection.CheckDeadline(_site.Clock.Now);
        initiator.IsClosed("30 s");
        Assert.Equal(RefusalKind.Abandoned, _site.Single<Refused>().Kind);
    }

    [Fact]
    public void A_text_longer_than_its_bound_is_refused()
    {
        var initiator = _site.Connect();
        for (var i = 0; i < 4; i++)
            initiator.SaysLogin(OperationalNegotiation, null, new byte[8192], more: true).HearsLogin(OperationalNegotiation, null, "");
        initiator.SaysLogin(OperationalNegotiation, null, new byte[4], more: true)
            .HearsRefusal(LoginStatus.InitiatorError, "longer than 32768 bytes");
    }

    [Fact]
    public void A_segment_larger_than_the_default_is_refused_before_it_comes()
    {
        var header = new byte[PduHeader.Size];
        var pdu = LoginRequestPdu.Begin(header).Header;
        pdu.DataSegmentLength = 8193;
        _site.Connect().SaysBytes(header).HearsRefusal(LoginStatus.InitiatorError, "8193 bytes");
    }

    [Fact]
    public void Nothing_but_a_login_comes_first()
    {
        _site.Connect().SaysNop(1).HearsNothing().IsClosed("before the login");
        _site.Connect().SaysRead(1, 0, 1).HearsNothing().IsClosed("before the login");
    }

    [Fact]
    public void A_login_in_the_full_feature_phase_is_rejected() => _site.LogIn()
        .SaysLogin(OperationalNegotiation, FullFeaturePhase, ScriptedInitiator.Names)
        .HearsReject(RejectReason.ProtocolError)
        .SaysNop(2).HearsNop(2);

    [Fact]
    public void Everybody_who_named_itself_is_reported_once()
    {
        _site.Connect().HangsUp();
        Assert.Empty(_site.Events);
        _site.Connect().SaysLogin(OperationalNegotiation, null, ScriptedInitiator.Names).HangsUp();
        Assert.Equal(RefusalKind.Abandoned, _site.Single<Refused>().Kind);
        _site.LogIn().HangsUp();
        Assert.Equal("the initiator closed the connection", _site.Single<Closed>().Reason);
        Assert.Single(_site.Events.OfType<Refused>());
    }
}
