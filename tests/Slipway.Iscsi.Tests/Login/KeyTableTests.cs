using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Target;
using Slipway.Iscsi.Text;
using static Slipway.Iscsi.Pdu.LoginStage;

namespace Slipway.Iscsi.Tests.Login;

/// <summary>
/// Every key of RFC 7143 §13 (and iSCSIProtocolLevel, RFC 7144 §7.1.1) as a row: its type, range and result, in which
/// sessions and on which connections it counts, and in which phases it may be sent. Each test asks one question of all rows.
/// </summary>
public class KeyTableTests
{
    public enum Type
    {
        /// <summary>The smaller of both sides' numbers.</summary>
        Minimum,

        /// <summary>The larger.</summary>
        Maximum,
        And,
        Or,
        List,

        /// <summary>Each side says its own, and nobody answers.</summary>
        Declared,

        /// <summary>Only the target says it.</summary>
        TargetsOwn,

        /// <summary>Gone since RFC 3720 (§13.25).</summary>
        Obsolete,
    }

    /// <param name="Valid">A value that an initiator may send.</param>
    /// <param name="Answer">What the target makes of it; null: it says nothing.</param>
    /// <param name="LeadingOnly">"LO": a session's first connection agrees on it.</param>
    /// <param name="NormalOnly">Irrelevant when SessionType=Discovery.</param>
    /// <param name="FullFeature">It may come after the login, too.</param>
    public sealed record Row(
        string Key, Type Type, string Valid, string? Answer, bool LeadingOnly = false, bool NormalOnly = false, bool FullFeature = false,
        uint Low = 0, uint High = 0, uint Ours = 0);

    private static readonly Row[] Rows =
    [
        new("HeaderDigest", Type.List, "CRC32C,None", "CRC32C"), // §13.1
        new("DataDigest", Type.List, "CRC32C,None", "CRC32C"),
        new("MaxConnections", Type.Minimum, "4", "4", true, true, Low: 1, High: 65535, Ours: 8), // §13.2
        new("TargetAlias", Type.TargetsOwn, "disk", "Reject", FullFeature: true), // §13.6
        new("InitiatorAlias", Type.Declared, "host", null, FullFeature: true), // §13.7
        new("TargetAddress", Type.TargetsOwn, "10.0.0.1:3260,1", "Reject", FullFeature: true), // §13.8
        new("InitialR2T", Type.Or, "No", "No", true, true), // §13.10
        new("ImmediateData", Type.And, "Yes", "Yes", true, true), // §13.11
        new("MaxRecvDataSegmentLength", Type.Declared, "4096", null, FullFeature: true, Low: 512, High: 16777215), // §13.12
        new("MaxBurstLength", Type.Minimum, "4096", "4096", true, true, Low: 512, High: 16777215, Ours: 1048576), // §13.13
        new("FirstBurstLength", Type.Minimum, "4096", "4096", true, true, Low: 512, High: 16777215, Ours: 262144), // §13.14
        new("DefaultTime2Wait", Type.Maximum, "2", "2", true, Low: 0, High: 3600, Ours: 0), // §13.15
        new("DefaultTime2Retain", Type.Minimum, "20", "0", true, Low: 0, High: 3600, Ours: 0), // §13.16
        new("MaxOutstandingR2T", Type.Minimum, "2", "2", true, true, Low: 1, High: 65535, Ours: 4), // §13.17
        new("DataPDUInOrder", Type.Or, "Yes", "Yes", true, true), // §13.18
        new("DataSequenceInOrder", Type.Or, "Yes", "Yes", true, true), // §13.19
        new("ErrorRecoveryLevel", Type.Minimum, "2", "0", true, Low: 0, High: 2, Ours: 0), // §13.20
        new("TaskReporting", Type.List, "FastAbort,RFC3720", "RFC3720", true, true), // §13.23
        new("iSCSIProtocolLevel", Type.Minimum, "2", "1", true, true, Low: 0, High: 31, Ours: 1),
        new("IFMarker", Type.Obsolete, "Yes", "No"), // §13.25
        new("OFMarker", Type.Obsolete, "No", "No"),
        new("IFMarkInt", Type.Obsolete, "2048~8192", "Reject"),
        new("OFMarkInt", Type.Obsolete, "2048~8192", "Reject"),
        new("X#NodeArchitecture", Type.Declared, "Linux,x86_64", null, FullFeature: true), // §13.26
        new("X-test.example.key", Type.Obsolete, "1", "NotUnderstood", FullFeature: true), // §13.22, §6.2
    ];

    public static TheoryData<string> Keys => [.. Rows.Select(r => r.Key)];

    private static Row Of(string key) => Rows.Single(r => r.Key == key);

    /// <summary>What a response says of a key; null for nothing, or what the target declares unasked (§13.12).</summary>
    private static string? Said(Reply reply, string key) => reply.Key(key) is { } value && (key, value) != ("MaxRecvDataSegmentLength", "262144") ? value : null;

    private static string? Answer(string key, string value)
    {
        Login(ScriptedInitiator.Pairs($"{ScriptedInitiator.Names} {key}={value}"), out var reply);
        return Said(reply, key);
    }

    private static ScriptedInitiator Login(byte[] text, out Reply reply)
    {
        var initiator = new Site().Connect().SaysLogin(OperationalNegotiation, FullFeaturePhase, text).Hears(Opcode.LoginResponse, out reply);
        Assert.Equal(LoginStatus.Success, new LoginResponsePdu(reply.Bytes).Status);
        return initiator;
    }

    [Fact]
    public void What_nobody_negotiates_has_the_standards_default()
    {
        var defaults = new OperationalParameters();
        Assert.False(defaults.HeaderDigest || defaults.DataDigest);
        Assert.Equal((1, true, true), (defaults.MaxConnections, defaults.InitialR2T, defaults.ImmediateData));
        Assert.Equal((8192, 262144, 65536), (defaults.PeerMaxRecvDataSegmentLength, defaults.MaxBurstLength, defaults.FirstBurstLength));
        Assert.Equal((2, 20, 1), (defaults.DefaultTime2Wait, defaults.DefaultTime2Retain, defaults.MaxOutstandingR2T));
        Assert.Equal((true, true, 0, 1), (defaults.DataPduInOrder, defaults.DataSequenceInOrder, defaults.ErrorRecoveryLevel, defaults.ProtocolLevel));
        var site = new Site();
        site.LogIn();
        var session = site.Single<LoggedIn>().Session;
        Assert.Equal((false, false, 8192, 262144, 65536, true, true), (session.HeaderDigest, session.DataDigest, session.InitiatorMaxRecvDataSegmentLength,
            session.MaxBurstLength, session.FirstBurstLength, session.InitialR2T, session.ImmediateData));
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void A_valid_value_gets_its_result(string key) => Assert.Equal(Of(key).Answer, Answer(key, Of(key).Valid));

    [Theory]
    [MemberData(nameof(Keys))]
    public void Values_at_and_beyond_their_bounds(string key)
    {
        var row = Of(key);
        switch (row.Type)
        {
            case Type.Minimum or Type.Maximum:
                Assert.Equal(Result(row.Low), Answer(key, $"{row.Low}"));
                Assert.Equal(Result(row.High), Answer(key, $"{row.High}"));
                Assert.Equal(Result(row.High), Answer(key, $"0x{row.High:x}"));
                Assert.Equal(Result(row.High), Answer(key, $"0X{row.High:X}"));
                RefusesNumbers();
                break;
            case Type.Declared when row.High > 0:
                Assert.Null(Answer(key, $"{row.Low}"));
                Assert.Null(Answer(key, $"{row.High}"));
                RefusesNumbers();
                break;
            case Type.And or Type.Or:
                Assert.Equal(key == "InitialR2T" || row.Type == Type.And ? "No" : "Yes", Answer(key, "No"));
                Assert.Equal("Yes", Answer(key, "Yes"));
                foreach (var wrong in (string[])["yes", "NO", "1", "", "Yes,No", "None"])
                    Assert.Equal("Reject", Answer(key, wrong));
                break;
            case Type.List:
                foreach (var wrong in (string[])["", ",", "none", "crc32c", "SHA256", "SHA256,SHA1"])
                    Assert.Equal("Reject", Answer(key, wrong));
                break;
        }

        string Result(uint theirs) => $"{(row.Type == Type.Minimum ? Math.Min(theirs, row.Ours) : Math.Max(theirs, row.Ours))}";

        void RefusesNumbers()
        {
            var wrong = new List<string> { $"{row.High + 1}", "", "-1", "+1", "1.0", "1,2", "1~2", "0x", "0xg", "many", "99999999999999999999", new string('0', 255) + row.High };
            if (row.Low > 0)
                wrong.Add($"{row.Low - 1}");
            foreach (var value in wrong)
                Assert.Equal("Reject", Answer(key, value));
        }
    }

    /// <summary>§6.2: they end a negotiation that this side did not begin, and mean nothing.</summary>
    [Theory]
    [MemberData(nameof(Keys))]
    public void What_is_an_answer_is_not_answered(string key)
    {
        if (Of(key).Answer == "NotUnderstood")
            return;
        foreach (var value in (string[])["Reject", "Irrelevant", "NotUnderstood"])
            Assert.Null(Answer(key, value));
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void A_key_comes_once(string key)
    {
        var row = Of(key);
        new Site().Connect().SaysLogin(OperationalNegotiation, FullFeaturePhase, $"{ScriptedInitiator.Names} {key}={row.Valid} {key}={row.Valid}")
            .HearsRefusal(LoginStatus.InitiatorError, $"{key} was sent twice");
        new Site().Connect()
            .SaysLogin(OperationalNegotiation, null, $"{ScriptedInitiator.Names} {key}={row.Valid}").Hears(Opcode.LoginResponse, out _)
            .SaysLogin(OperationalNegotiation, FullFeaturePhase, $"{key}={row.Valid}")
            .HearsRefusal(LoginStatus.InitiatorError, $"{key} was negotiated twice");
    }

    /// <summary>A pair goes over two PDUs, cut anywhere in it (§6.2, the C bit).</summary>
    [Theory]
    [MemberData(nameof(Keys))]
    public void A_key_may_be_cut_anywhere(string key)
    {
        var row = Of(key);
        var (names, pair) = (ScriptedInitiator.Pairs(ScriptedInitiator.Names), ScriptedInitiator.Pairs($"{key}={row.Valid}"));
        for (var cut = 0; cut < pair.Length; cut++)
        {
            new Site().Connect()
                .SaysLogin(OperationalNegotiation, null, [.. names, .. pair[..cut]], more: true).HearsLogin(OperationalNegotiation, null, "")
                .SaysLogin(OperationalNegotiation, FullFeaturePhase, pair[cut..]).Hears(Opcode.LoginResponse, out var reply);
            Assert.Equal((LoginStatus.Success, row.Answer), (new LoginResponsePdu(reply.Bytes).Status, Said(reply, key)));
        }
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void In_the_security_stage_only_declarations_come(string key)
    {
        var row = Of(key);
        var initiator = new Site().Connect().SaysLogin(SecurityNegotiation, OperationalNegotiation, $"{ScriptedInitiator.Names} AuthMethod=None {key}={row.Valid}");
        if (row.FullFeature)
            Assert.Equal(row.Answer, Said(initiator.Next(Opcode.LoginResponse), key));
        else
            initiator.HearsRefusal(LoginStatus.InitiatorError, $"{key} does not belong in this stage");
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void In_a_discovery_session_some_are_irrelevant(string key)
    {
        var row = Of(key);
        new Site().Connect().SaysLogin(OperationalNegotiation, FullFeaturePhase, $"InitiatorName={Site.Initiator} SessionType=Discovery {key}={row.Valid}")
            .Hears(Opcode.LoginResponse, out var reply);
        Assert.Equal(row.NormalOnly ? "Irrelevant" : row.Answer, Said(reply, key));
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void On_another_connection_some_are_irrelevant(string key)
    {
        var row = Of(key);
        var site = new Site();
        site.Connect().SaysJoin(site.LogIn("MaxConnections=2"), 2, $"{key}={row.Valid}").Hears(Opcode.LoginResponse, out var reply);
        Assert.Equal(row.LeadingOnly ? "Irrelevant" : row.Answer, Said(reply, key));
    }

    /// <summary>§6.4: what belongs to the login is refused, and the session stays as it is.</summary>
    [Theory]
    [MemberData(nameof(Keys))]
    public void After_the_login_few_may_come(string key)
    {
        var row = Of(key);
        var initiator = new Site().LogIn().SaysText(1, $"{key}={row.Valid}");
        Assert.Equal(row.FullFeature ? row.Answer : "Reject", initiator.Next(Opcode.TextResponse).Key(key));
        initiator.SaysNop(2).HearsNop(2);
    }

    [Theory]
    [InlineData("InitiatorName", Site.Initiator, "iqn.2026-01.test:other")]
    [InlineData("TargetName", Site.Target, "iqn.2026-01.test:other")]
    [InlineData("SessionType", "Normal", "Discovery")]
    public void Names_are_said_at_the_beginning_and_do_not_change(string key, string first, string other)
    {
        new Site().Connect().SaysLogin(OperationalNegotiation, null, ScriptedInitiator.Names).Hears(Opcode.LoginResponse, out _)
            .SaysLogin(OperationalNegotiation, FullFeaturePhase, $"{key}={first}").HearsLogin(OperationalNegotiation, FullFeaturePhase, "");
        new Site().Connect().SaysLogin(OperationalNegotiation, null, ScriptedInitiator.Names).Hears(Opcode.LoginResponse, out _)
            .SaysLogin(OperationalNegotiation, FullFeaturePhase, $"{key}={other}").HearsRefusal(LoginStatus.InitiatorError, $"{key} changed during the login");
        Assert.Equal("Reject", new Site().LogIn().SaysText(1, $"{key}={first}").Next(Opcode.TextResponse).Key(key));
    }

    /// <summary>§13.9: the target's to say, in its first response, and once.</summary>
    [Fact]
    public void The_portal_group_is_the_targets_to_say()
    {
        new Site().Connect().SaysLogin(OperationalNegotiation, FullFeaturePhase, $"{ScriptedInitiator.Names} TargetPortalGroupTag=7")
            .HearsLogin(OperationalNegotiation, FullFeaturePhase, "TargetPortalGroupTag=1 MaxRecvDataSegmentLength=262144");
        Assert.Equal("Reject", new Site().LogIn().SaysText(1, "TargetPortalGroupTag=7").Next(Opcode.TextResponse).Key("TargetPortalGroupTag"));
    }

    /// <summary>§13.12: a length that is refused leaves the default, and the target's own goes in the next response.</summary>
    [Fact]
    public void A_segment_length_is_not_said_twice_in_a_response() => new Site().Connect()
        .SaysLogin(OperationalNegotiation, null, $"{ScriptedInitiator.Names} MaxRecvDataSegmentLength=511")
        .HearsLogin(OperationalNegotiation, null, "TargetPortalGroupTag=1 MaxRecvDataSegmentLength=Reject")
        .SaysLogin(OperationalNegotiation, FullFeaturePhase, "")
        .HearsLogin(OperationalNegotiation, FullFeaturePhase, "MaxRecvDataSegmentLength=262144");

    [Theory]
    [InlineData("SendTargets=All")]
    [InlineData("AuthMethod=CHAP,None")]
    public void What_belongs_to_another_phase_is_refused(string pair) => new Site().Connect()
        .SaysLogin(OperationalNegotiation, FullFeaturePhase, $"{ScriptedInitiator.Names} {pair}")
        .HearsRefusal(LoginStatus.InitiatorError, "does not belong in this stage");

    [Fact]
    public void A_key_has_at_most_63_characters()
    {
        var key = "X-" + new string('k', 61);
        Assert.Equal("NotUnderstood", Answer(key, new string('v', 4000)));
        new Site().Connect().SaysLogin(OperationalNegotiation, FullFeaturePhase, $"{ScriptedInitiator.Names} {key}k=1")
            .HearsRefusal(LoginStatus.InitiatorError, "no valid key name");
    }
}
