using Slipway.Iscsi.Chap;
using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Target;
using static Slipway.Iscsi.Pdu.LoginStage;

namespace Slipway.Iscsi.Tests.Login;

/// <summary>RFC 7143 §12.1. The responses were computed with Python's hashlib from the identifier 42 and the challenge 1, 2, 3, ….</summary>
public class ChapTests
{
    private const string Secret = "initiator secret";
    private const string ReverseSecret = "another secret of the target";
    private const string Md5 = "0x2a979d3acbd5594176c7944687d808c6";
    private const string Md5Challenge = "0x0102030405060708090a0b0c0d0e0f10";
    private const string TheirChallenge = "0xa1b2c3d4e5f60718293a4b5c6d7e8f90";
    private static readonly ChapAccount Host = new("host", Secret);
    private static readonly ChapAccount Disk = new("disk", ReverseSecret);
    private static readonly ChapPolicy OneWay = new(Host, null);
    private static readonly ChapPolicy Mutual = new(Host, Disk);

    public static TheoryData<string, string, string, string> Algorithms => new()
    {
        { "5", "0102030405060708090a0b0c0d0e0f10", "2a979d3acbd5594176c7944687d808c6", "121392a9f6237dc9d307043daa076ad5" },
        { "6", "0102030405060708090a0b0c0d0e0f1011121314", "bced1a4de17d61f0ef81519a2456784fcedeee19", "76289a2686997e806d66d89618d16bb829605f90" },
        {
            "7", "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
            "bde2d42dffc6a19de3b236a8f483a0f756af544bb20f643c5eef4aa5172e7d90", "3254d489ca71951eebd02e006aa69f130065b5a682e9720e64ecbb9c8c3e482a"
        },
        {
            "8", "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
            "a410ac2453d6bf305e3470fea3c6d4e50f466d9eab4553a83b4f6f2a2fe4af95", "aa5748209d0183ee17dd27ee39d0960179bb9fd204cc231017ce6219b2ca76de"
        },
    };

    private static ScriptedInitiator Challenged(Site site, string algorithms = "5", string? answer = null, string challenge = Md5Challenge) => site.Connect()
        .SaysLogin(SecurityNegotiation, OperationalNegotiation, $"{ScriptedInitiator.Names} AuthMethod=CHAP,None")
        .HearsLogin(SecurityNegotiation, null, "TargetPortalGroupTag=1 AuthMethod=CHAP")
        .SaysLogin(SecurityNegotiation, OperationalNegotiation, $"CHAP_A={algorithms}")
        .HearsLogin(SecurityNegotiation, null, $"CHAP_A={answer ?? algorithms} CHAP_I=42 CHAP_C={challenge}");

    [Theory, MemberData(nameof(Algorithms))]
    public void Both_sides_prove_themselves(string algorithm, string challenge, string proof, string reverse)
    {
        var site = new Site { Chap = Mutual };
        Challenged(site, algorithm, challenge: "0x" + challenge)
            .SaysLogin(SecurityNegotiation, OperationalNegotiation, $"CHAP_N=host CHAP_R=0x{proof} CHAP_I=7 CHAP_C={TheirChallenge}")
            .HearsLogin(SecurityNegotiation, OperationalNegotiation, $"CHAP_N=disk CHAP_R=0x{reverse}")
            .SaysLogin(OperationalNegotiation, FullFeaturePhase, "HeaderDigest=None")
            .HearsLogin(OperationalNegotiation, FullFeaturePhase, "HeaderDigest=None MaxRecvDataSegmentLength=262144");
        var session = site.Single<LoggedIn>().Session;
        Assert.Equal(((ChapAlgorithm)byte.Parse(algorithm), true), (session.Algorithm, session.Mutual));
    }

    [Fact]
    public void One_way_needs_no_operational_stage()
    {
        var site = new Site { Chap = OneWay };
        Challenged(site)
            .SaysLogin(SecurityNegotiation, FullFeaturePhase, $"CHAP_N=host CHAP_R={Md5}")
            .HearsLogin(SecurityNegotiation, FullFeaturePhase, "");
        Assert.Equal((ChapAlgorithm.Md5, false), (site.Single<LoggedIn>().Session.Algorithm, site.Single<LoggedIn>().Session.Mutual));
    }

    [Theory]
    [InlineData("0X2A979D3ACBD5594176C7944687D808C6")]
    [InlineData("0bKpedOsvVWUF2x5RGh9gIxg==")]
    [InlineData("0BKpedOsvVWUF2x5RGh9gIxg==")]
    public void Binary_values_come_as_hex_or_base64(string proof)
    {
        Challenged(new Site { Chap = Mutual })
            .SaysLogin(SecurityNegotiation, OperationalNegotiation, $"CHAP_N=host CHAP_R={proof} CHAP_I=0x7 CHAP_C=0bobLD1OX2BxgpOktcbX6PkA==")
            .HearsLogin(SecurityNegotiation, OperationalNegotiation, "CHAP_N=disk CHAP_R=0x121392a9f6237dc9d307043daa076ad5");
    }

    [Theory]
    [InlineData("7,5", "7", "0x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20")]
    [InlineData("5,6,7", "5", Md5Challenge)]
    [InlineData("129,0x5", "5", Md5Challenge)]
    public void The_initiators_first_algorithm_that_is_known_is_taken(string offered, string taken, string challenge) =>
        Challenged(new Site { Chap = OneWay }, offered, taken, challenge);

    [Theory]
    [InlineData("9")]
    [InlineData("129,4")]
    [InlineData("MD5")]
    [InlineData("261")]
    [InlineData("")]
    public void An_unknown_algorithm_is_refused(string offered)
    {
        var site = new Site { Chap = OneWay };
        site.Connect()
            .SaysLogin(SecurityNegotiation, OperationalNegotiation, $"{ScriptedInitiator.Names} AuthMethod=CHAP")
            .HearsLogin(SecurityNegotiation, null, "TargetPortalGroupTag=1 AuthMethod=CHAP")
            .SaysLogin(SecurityNegotiation, OperationalNegotiation, $"CHAP_A={offered}")
            .HearsRefusal(LoginStatus.AuthenticationFailure, "none of the CHAP algorithms");
        Assert.Equal(RefusalKind.ChapRequired, site.Single<Refused>().Kind);
    }

    [Fact]
    public void Method_and_algorithm_may_come_together() => new Site { Chap = OneWay }.Connect()
        .SaysLogin(SecurityNegotiation, OperationalNegotiation, $"{ScriptedInitiator.Names} AuthMethod=CHAP CHAP_A=5")
        .HearsLogin(SecurityNegotiation, null, $"TargetPortalGroupTag=1 AuthMethod=CHAP CHAP_A=5 CHAP_I=42 CHAP_C={Md5Challenge}");

    [Theory]
    [InlineData("CHAP_N=host CHAP_R=0x2a979d3acbd5594176c7944687d808c7", RefusalKind.WrongSecret)]
    [InlineData("CHAP_N=host CHAP_R=0x2a979d3acbd5594176c7944687d808", RefusalKind.WrongSecret)]
    [InlineData($"CHAP_N=Host CHAP_R={Md5}", RefusalKind.WrongName)]
    [InlineData($"CHAP_N= CHAP_R={Md5}", RefusalKind.WrongName)]
    public void A_wrong_name_or_secret_is_refused(string keys, RefusalKind kind)
    {
        var site = new Site { Chap = OneWay };
        Challenged(site)
            .SaysLogin(SecurityNegotiation, OperationalNegotiation, keys)
            .HearsRefusal(LoginStatus.AuthenticationFailure, kind == RefusalKind.WrongName ? "expected \"host\"" : "wrong CHAP secret of \"host\"");
        var refused = site.Single<Refused>();
        Assert.Equal((kind, Site.Initiator), (refused.Kind, refused.Facts.InitiatorName));
        Assert.DoesNotContain(Secret, refused.ToString(), StringComparison.Ordinal);
        Assert.Empty(site.Events.OfType<LoggedIn>());
    }

    [Theory]
    [InlineData("CHAP_N=host", LoginStatus.MissingParameter)]
    [InlineData($"CHAP_R={Md5}", LoginStatus.MissingParameter)]
    [InlineData("CHAP_N=host CHAP_R=2a979d3acbd5594176c7944687d808c6", LoginStatus.InitiatorError)]
    [InlineData("CHAP_N=host CHAP_R=0x", LoginStatus.InitiatorError)]
    [InlineData("CHAP_N=host CHAP_R=0xzz", LoginStatus.InitiatorError)]
    [InlineData("CHAP_N=host CHAP_R=0b!!!!", LoginStatus.InitiatorError)]
    [InlineData($"CHAP_N=host CHAP_R={Md5} CHAP_I=256 CHAP_C=0x01", LoginStatus.InitiatorError)]
    [InlineData($"CHAP_N=host CHAP_R={Md5} CHAP_I=1", LoginStatus.InitiatorError)]
    [InlineData($"CHAP_N=host CHAP_R={Md5} CHAP_C=0x01", LoginStatus.InitiatorError)]
    public void A_malformed_answer_is_refused(string keys, LoginStatus status) =>
        Challenged(new Site { Chap = Mutual })
            .SaysLogin(SecurityNegotiation, OperationalNegotiation, keys)
            .HearsRefusal(status, "CHAP_");

    [Fact]
    public void Binary_values_over_1024_bytes_are_refused()
    {
        foreach (var value in (string[])["0x" + new string('a', 2050), "0b" + Convert.ToBase64String(new byte[1026])])
        {
            Challenged(new Site { Chap = Mutual })
                .SaysLogin(SecurityNegotiation, OperationalNegotiation, $"CHAP_N=host CHAP_R={Md5} CHAP_I=1 CHAP_C={value}")
                .HearsRefusal(LoginStatus.InitiatorError, "CHAP_C");
        }
        Challenged(new Site { Chap = Mutual })
            .SaysLogin(SecurityNegotiation, OperationalNegotiation, $"CHAP_N=host CHAP_R={Md5} CHAP_I=1 CHAP_C=0x{new string('a', 2048)}")
            .Hears(Opcode.LoginResponse, out var reply);
        Assert.Equal(LoginStatus.Success, new LoginResponsePdu(reply.Bytes).Status);
    }

    [Fact]
    public void The_targets_own_challenge_is_not_answered()
    {
        var site = new Site { Chap = Mutual };
        Challenged(site)
            .SaysLogin(SecurityNegotiation, OperationalNegotiation, $"CHAP_N=host CHAP_R={Md5} CHAP_I=42 CHAP_C={Md5Challenge}")
            .HearsRefusal(LoginStatus.AuthenticationFailure, "own CHAP challenge");
    }

    /// <summary>Which of several secrets is asked for is said by CHAP_N, and what was proved is what decides afterwards.</summary>
    [Theory]
    [InlineData("host", Md5, null)]
    [InlineData("other", Md5, RefusalKind.WrongSecret)]
    [InlineData("nobody", Md5, RefusalKind.WrongName)]
    public void Discovery_may_be_opened_with_one_of_several_secrets(string name, string proof, RefusalKind? refused)
    {
        var site = new Site { Decide = _ => Admission.GrantDiscovery([new ChapPolicy(new ChapAccount("other", "the secret of another"), Disk), OneWay]) };
        var initiator = site.Connect()
            .SaysLogin(SecurityNegotiation, FullFeaturePhase, $"InitiatorName={Site.Initiator} SessionType=Discovery AuthMethod=CHAP CHAP_A=5")
            .HearsLogin(SecurityNegotiation, null, $"AuthMethod=CHAP CHAP_A=5 CHAP_I=42 CHAP_C={Md5Challenge}")
            .SaysLogin(SecurityNegotiation, FullFeaturePhase, $"CHAP_N={name} CHAP_R={proof}");
        if (refused is { } kind)
        {
            initiator.HearsRefusal(LoginStatus.AuthenticationFailure, "CHAP");
            Assert.Equal((kind, null), (site.Single<Refused>().Kind, site.Single<Refused>().Facts.ProvedName));
            return;
        }
        initiator.HearsLogin(SecurityNegotiation, FullFeaturePhase, "");
        Assert.Equal(name, site.Single<LoggedIn>().Facts.ProvedName);
    }

    /// <summary>Who does not offer CHAP goes on without; who does must prove it.</summary>
    [Fact]
    public void Discovery_may_be_open_to_who_has_no_secret()
    {
        var site = new Site { Decide = _ => Admission.GrantDiscovery([OneWay], isChapOptional: true) };
        site.Connect()
            .SaysLogin(SecurityNegotiation, FullFeaturePhase, $"InitiatorName={Site.Initiator} SessionType=Discovery AuthMethod=None")
            .HearsLogin(SecurityNegotiation, FullFeaturePhase, "AuthMethod=None");
        Assert.Null(site.Single<LoggedIn>().Facts.ProvedName);
        site.Connect().Discovers();
        site.Connect()
            .SaysLogin(SecurityNegotiation, FullFeaturePhase, $"InitiatorName={Site.Initiator} SessionType=Discovery AuthMethod=None,CHAP CHAP_A=5")
            .HearsLogin(SecurityNegotiation, null, $"AuthMethod=CHAP CHAP_A=5 CHAP_I=42 CHAP_C={Md5Challenge}")
            .SaysLogin(SecurityNegotiation, FullFeaturePhase, "CHAP_N=nobody CHAP_R=0x00")
            .HearsRefusal(LoginStatus.AuthenticationFailure, "CHAP");
    }

    [Fact]
    public void The_target_proves_nothing_to_who_has_proved_nothing()
    {
        Challenged(new Site { Chap = Mutual })
            .SaysLogin(SecurityNegotiation, OperationalNegotiation, $"CHAP_N=host CHAP_R=0x00 CHAP_I=7 CHAP_C={TheirChallenge}")
            .Hears(Opcode.LoginResponse, out var reply)
            .HearsNothing();
        Assert.Empty(reply.Data);
    }

    [Fact]
    public void Mutual_CHAP_is_demanded_where_a_reverse_secret_is_set() => Challenged(new Site { Chap = Mutual })
        .SaysLogin(SecurityNegotiation, OperationalNegotiation, $"CHAP_N=host CHAP_R={Md5}")
        .HearsRefusal(LoginStatus.AuthenticationFailure, "mutual CHAP is required");

    [Fact]
    public void A_proof_that_cannot_be_given_is_refused() => Challenged(new Site { Chap = OneWay })
        .SaysLogin(SecurityNegotiation, OperationalNegotiation, $"CHAP_N=host CHAP_R={Md5} CHAP_I=7 CHAP_C={TheirChallenge}")
        .HearsRefusal(LoginStatus.AuthenticationFailure, "no reverse secret");

    [Fact]
    public void Hanging_up_on_the_targets_proof_is_known_for_what_it_is()
    {
        var site = new Site { Chap = Mutual };
        Challenged(site)
            .SaysLogin(SecurityNegotiation, OperationalNegotiation, $"CHAP_N=host CHAP_R={Md5} CHAP_I=7 CHAP_C={TheirChallenge}")
            .HearsLogin(SecurityNegotiation, OperationalNegotiation, "CHAP_N=disk CHAP_R=0x121392a9f6237dc9d307043daa076ad5")
            .HangsUp();
        Assert.Equal(RefusalKind.ReverseRefused, site.Single<Refused>().Kind);
    }

    [Fact]
    public void CHAP_cannot_be_walked_around()
    {
        Site New() => new() { Chap = OneWay };
        New().Connect()
            .SaysLogin(SecurityNegotiation, OperationalNegotiation, $"{ScriptedInitiator.Names} AuthMethod=None")
            .HearsRefusal(LoginStatus.AuthenticationFailure, "CHAP is required");
        New().Connect()
            .SaysLogin(SecurityNegotiation, OperationalNegotiation, ScriptedInitiator.Names)
            .HearsRefusal(LoginStatus.AuthenticationFailure, "CHAP is required");
        New().Connect()
            .SaysLogin(OperationalNegotiation, FullFeaturePhase, ScriptedInitiator.Names)
            .HearsRefusal(LoginStatus.AuthenticationFailure, "CHAP is required");
        New().Connect()
            .SaysLogin(SecurityNegotiation, null, $"{ScriptedInitiator.Names} AuthMethod=CHAP")
            .HearsLogin(SecurityNegotiation, null, "TargetPortalGroupTag=1 AuthMethod=CHAP")
            .SaysLogin(OperationalNegotiation, FullFeaturePhase, "HeaderDigest=None")
            .HearsRefusal(LoginStatus.InvalidDuringLogin, "for stage OperationalNegotiation in stage SecurityNegotiation");
        Challenged(New())
            .SaysLogin(SecurityNegotiation, OperationalNegotiation, "AuthMethod=None")
            .HearsRefusal(LoginStatus.InitiatorError, "AuthMethod was negotiated twice");
    }

    [Fact]
    public void A_response_without_a_challenge_proves_nothing() => new Site { Chap = OneWay }.Connect()
        .SaysLogin(SecurityNegotiation, OperationalNegotiation, $"{ScriptedInitiator.Names} AuthMethod=CHAP CHAP_N=host CHAP_R={Md5}")
        .Hears(Opcode.LoginResponse, out var reply)
        .Do(_ => Assert.False(new LoginResponsePdu(reply.Bytes) is { Status: LoginStatus.Success, Transit: true }));

    [Fact]
    public void A_discovery_session_proves_itself_too() => new Site { Chap = OneWay }.Connect()
        .SaysLogin(SecurityNegotiation, OperationalNegotiation, $"InitiatorName={Site.Initiator} SessionType=Discovery AuthMethod=CHAP CHAP_A=5")
        .HearsLogin(SecurityNegotiation, null, $"AuthMethod=CHAP CHAP_A=5 CHAP_I=42 CHAP_C={Md5Challenge}")
        .SaysLogin(SecurityNegotiation, FullFeaturePhase, $"CHAP_N=host CHAP_R={Md5}")
        .HearsLogin(SecurityNegotiation, FullFeaturePhase, "");

    [Fact]
    public void Secrets_have_12_to_255_bytes_and_differ()
    {
        Assert.Throws<ArgumentException>(() => new ChapAccount("host", "eleven char"));
        Assert.Throws<ArgumentException>(() => new ChapAccount("host", new string('x', 256)));
        Assert.Throws<ArgumentException>(() => new ChapAccount("", Secret));
        Assert.Throws<ArgumentException>(() => new ChapPolicy(Host, new ChapAccount("disk", Secret)));
        Assert.DoesNotContain(Secret, Host.ToString(), StringComparison.Ordinal);
        Assert.Equal(255, new ChapAccount("host", new string('x', 255)).Secret.Length);
    }
}
