using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Target;
using Slipway.Iscsi.Text;
using static Slipway.Iscsi.Pdu.LoginStage;

namespace Slipway.Iscsi.Tests.Login;

/// <summary>RFC 7143 §6.2: what <see cref="KeyTableTests"/> does not ask of every key alike.</summary>
public class NegotiationTests
{
    private static string? Answer(string key, string value, TargetLimits? limits = null)
    {
        new Site(limits).Connect()
            .SaysLogin(OperationalNegotiation, FullFeaturePhase, $"{ScriptedInitiator.Names} {key}={value}")
            .Hears(Opcode.LoginResponse, out var reply);
        Assert.Equal(LoginStatus.Success, new LoginResponsePdu(reply.Bytes).Status);
        return reply.Key(key);
    }

    [Fact]
    public void A_text_has_a_bound_of_keys_and_the_answer_to_so_many_fits_in_a_login_response()
    {
        var few = string.Concat(Enumerable.Range(0, TextKeys.MaxKeys - 3).Select(i => $" X-{i:d61}=1"));
        new Site().Connect().SaysLogin(OperationalNegotiation, FullFeaturePhase, ScriptedInitiator.Names + few)
            .Hears(Opcode.LoginResponse, out var reply);
        Assert.Equal(LoginStatus.Success, new LoginResponsePdu(reply.Bytes).Status);
        Assert.Equal("NotUnderstood", reply.Key($"X-{7:d61}"));
        Assert.InRange(reply.Data.Length, 7000, OperationalParameters.DefaultMaxRecvDataSegmentLength);
        new Site().Connect().SaysLogin(OperationalNegotiation, FullFeaturePhase, ScriptedInitiator.Names + few + " X-one-more=1")
            .HearsRefusal(LoginStatus.InitiatorError, "more than 96 keys");
    }

    [Theory]
    [InlineData("HeaderDigest", "CRC32C,None", "CRC32C")]
    [InlineData("HeaderDigest", "None,CRC32C", "None")]
    [InlineData("HeaderDigest", "SHA,CRC32C", "CRC32C")]
    [InlineData("HeaderDigest", "SHA", "Reject")]
    [InlineData("DataDigest", "CRC32C", "CRC32C")]
    [InlineData("DataDigest", "None", "None")]
    [InlineData("TaskReporting", "FastAbort,RFC3720", "RFC3720")]
    public void Lists_give_the_initiators_first_that_the_target_has(string key, string value, string answer) =>
        Assert.Equal(answer, Answer(key, value));

    [Theory]
    [InlineData("X-com.example.colour", "blue")]
    [InlineData("Rubbish", "1")]
    [InlineData("maxburstlength", "512")]
    [InlineData("CHAP_Q", "1")]
    public void Keys_that_nobody_knows_are_not_understood(string key, string value) => Assert.Equal("NotUnderstood", Answer(key, value));

    [Fact]
    public void A_segment_length_is_declared_by_each_side_for_itself()
    {
        var site = new Site();
        site.Connect()
            .SaysLogin(OperationalNegotiation, FullFeaturePhase, $"{ScriptedInitiator.Names} MaxRecvDataSegmentLength=16777215")
            .HearsLogin(OperationalNegotiation, FullFeaturePhase, "TargetPortalGroupTag=1 MaxRecvDataSegmentLength=262144");
        Assert.Equal(16777215, site.Single<LoggedIn>().Session.InitiatorMaxRecvDataSegmentLength);
        Assert.Equal("Reject", Answer("MaxRecvDataSegmentLength", "511"));
    }

    [Theory]
    [InlineData("no equals sign\0", "no valid key name")]
    [InlineData("=value\0", "no valid key name")]
    [InlineData("MaxBurstLength=4096", "no zero byte")]
    [InlineData("k\u00e4y=1\0", "no valid key name")]
    public void What_is_no_list_of_pairs_is_refused(string text, string because) => new Site().Connect()
        .SaysLogin(OperationalNegotiation, FullFeaturePhase, System.Text.Encoding.UTF8.GetBytes(text))
        .HearsRefusal(LoginStatus.InitiatorError, because);

    [Theory]
    [InlineData("MaxBurstLength=4096 FirstBurstLength=8192", "MaxBurstLength=4096 FirstBurstLength=4096")]
    [InlineData("FirstBurstLength=8192 MaxBurstLength=4096", "MaxBurstLength=4096 FirstBurstLength=4096")]
    [InlineData("FirstBurstLength=many MaxBurstLength=4096", "FirstBurstLength=Reject MaxBurstLength=4096")]
    [InlineData("MaxBurstLength=4096", "MaxBurstLength=4096")]
    public void The_first_burst_is_no_longer_than_a_burst(string offer, string answer)
    {
        var site = new Site();
        site.Connect().SaysLogin(OperationalNegotiation, FullFeaturePhase, $"{ScriptedInitiator.Names} {offer}")
            .HearsLogin(OperationalNegotiation, FullFeaturePhase, $"TargetPortalGroupTag=1 {answer} MaxRecvDataSegmentLength=262144");
        Assert.Equal((4096, 4096), (site.Single<LoggedIn>().Session.MaxBurstLength, site.Single<LoggedIn>().Session.FirstBurstLength));
    }

    [Fact]
    public void A_target_may_wish_otherwise()
    {
        var limits = new TargetLimits
        {
            Offer = new NegotiationOffer { AllowDigests = false, InitialR2T = true, ImmediateData = false, MaxBurstLength = 8192, DefaultTime2Wait = 5, DefaultTime2Retain = 9 },
        };
        Assert.Equal("None", Answer("HeaderDigest", "CRC32C,None", limits));
        Assert.Equal("Reject", Answer("DataDigest", "CRC32C", limits));
        Assert.Equal("Yes", Answer("InitialR2T", "No", limits));
        Assert.Equal("No", Answer("ImmediateData", "Yes", limits));
        Assert.Equal("8192", Answer("MaxBurstLength", "65536", limits));
        Assert.Equal("5", Answer("DefaultTime2Wait", "2", limits));
        Assert.Equal("9", Answer("DefaultTime2Retain", "20", limits));
    }
}
