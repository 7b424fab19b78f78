using System.Globalization;
using System.Net;
using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Target;

namespace Slipway.Iscsi.Tests.FullFeature;

/// <summary>Text requests and SendTargets (RFC 7143 §11.10, §11.11, appendix C).</summary>
public class TextTests
{
    private static Reply Text(ScriptedInitiator initiator)
    {
        var reply = initiator.Next(Opcode.TextResponse);
        var response = new TextResponsePdu(reply.Bytes);
        Assert.Equal(response.Final, response.TargetTransferTag == PduHeader.ReservedTag);
        return reply;
    }

    [Fact]
    public void SendTargets_in_a_discovery_session()
    {
        var site = new Site
        {
            Targets = [new("iqn.2026-01.test:one", []), new("iqn.2026-01.test:two", [new(IPAddress.Parse("10.0.0.9"), 3261), new(IPAddress.Parse("fd00::9"), 3260)])],
        };
        var initiator = site.Connect().Discovers();
        const string One = "TargetName=iqn.2026-01.test:one TargetAddress=10.0.0.1:3260,1";
        const string Two = "TargetName=iqn.2026-01.test:two TargetAddress=10.0.0.9:3261,1 TargetAddress=[fd00::9]:3260,1";
        Assert.Equal($"{One} {Two}", Text(initiator.SaysText(1, "SendTargets=All")).Text);
        Assert.Equal(Two, Text(initiator.SaysText(2, "SendTargets=iqn.2026-01.test:two")).Text);
        Assert.Equal("", Text(initiator.SaysText(3, "SendTargets=iqn.2026-01.test:three")).Text);
        Assert.Equal("SendTargets=Reject", Text(initiator.SaysText(4, "SendTargets=")).Text);
    }

    [Fact]
    public void A_portal_is_told_as_others_can_reach_it()
    {
        var site = new Site { Targets = [new("iqn.2026-01.test:one", [new(IPAddress.Parse("192.0.2.1"), 0), new(IPAddress.Parse("fe80::9%2"), 3261)])] };
        Assert.Equal(
            "TargetName=iqn.2026-01.test:one TargetAddress=192.0.2.1:3260,1 TargetAddress=[fe80::9]:3261,1",
            Text(site.Connect().Discovers().SaysText(1, "SendTargets=All")).Text);
    }

    [Fact]
    public void SendTargets_in_a_normal_session_is_about_its_own_target()
    {
        var site = new Site { Targets = [new("iqn.2026-01.test:other", []), new(Site.Target, [])] };
        var initiator = site.LogIn();
        Assert.Equal($"TargetName={Site.Target} TargetAddress=10.0.0.1:3260,1", Text(initiator.SaysText(1, "SendTargets=")).Text);
        Assert.Equal("SendTargets=Reject", Text(initiator.SaysText(2, "SendTargets=All")).Text);
        Assert.Equal("", Text(initiator.SaysText(3, "SendTargets=iqn.2026-01.test:other")).Text);
    }

    [Fact]
    public void A_long_answer_goes_in_several_PDUs()
    {
        var names = Enumerable.Range(0, 50).Select(i => $"iqn.2026-01.test:disk-{i.ToString(CultureInfo.InvariantCulture)}").ToList();
        var site = new Site { Targets = [.. names.Select(n => new TargetRecord(n, []))] };
        var initiator = site.Connect().Discovers("MaxRecvDataSegmentLength=512");
        var all = new List<byte>();
        var reply = Text(initiator.SaysText(1, "SendTargets=All"));
        while (!new TextResponsePdu(reply.Bytes).Final)
        {
            Assert.True(new TextResponsePdu(reply.Bytes).Continue);
            Assert.Equal(512, reply.Data.Length);
            all.AddRange(reply.Data);
            reply = Text(initiator.SaysText(1, "", transferTag: new TextResponsePdu(reply.Bytes).TargetTransferTag));
        }
        all.AddRange(reply.Data);
        var text = System.Text.Encoding.UTF8.GetString([.. all]).Split('\0');
        Assert.Equal(names, text.Where(t => t.StartsWith("TargetName=", StringComparison.Ordinal)).Select(t => t["TargetName=".Length..]));
    }

    [Fact]
    public void A_request_may_come_in_several_PDUs()
    {
        var initiator = new Site().Connect().Discovers();
        var first = Text(initiator.SaysText(1, "", final: false, more: true, raw: "SendTar"u8.ToArray()));
        var response = new TextResponsePdu(first.Bytes);
        Assert.True(response is { Final: false, Continue: false });
        Assert.Empty(first.Data);
        var second = Text(initiator.SaysText(1, "", transferTag: response.TargetTransferTag, raw: "gets=All\0"u8.ToArray()));
        Assert.StartsWith($"TargetName={Site.Target}", second.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Keys_of_the_login_are_not_negotiated_again()
    {
        var initiator = new Site().LogIn();
        Assert.Equal("HeaderDigest=Reject", Text(initiator.SaysText(1, "HeaderDigest=CRC32C")).Text);
        Assert.Equal("X-new=NotUnderstood", Text(initiator.SaysText(2, "X-new=1")).Text);
        Assert.Equal("", Text(initiator.SaysText(3, "MaxRecvDataSegmentLength=512")).Text);
        initiator.SaysNop(4, new byte[600]).HearsNop(4, new byte[512]);
    }

    [Fact]
    public void What_is_no_text_is_rejected() => new Site().LogIn()
        .SaysText(1, "", raw: "no zero byte"u8.ToArray()).HearsReject(RejectReason.ProtocolError)
        .SaysText(2, "", transferTag: 77).HearsReject(RejectReason.InvalidPduField)
        .SaysText(3, "", transferTag: 0).HearsReject(RejectReason.InvalidPduField)
        // §11.10.2: there is more, and it is the last.
        .SaysText(4, "SendTar", final: true, more: true).HearsReject(RejectReason.ProtocolError)
        .SaysNop(5).HearsNop(5);

    [Fact]
    public void A_text_beyond_its_bound_is_rejected()
    {
        var initiator = new Site().LogIn();
        var tag = PduHeader.ReservedTag;
        for (var i = 0; i < 4; i++)
            tag = new TextResponsePdu(Text(initiator.SaysText(1, "", tag, final: false, more: true, raw: new byte[8192])).Bytes).TargetTransferTag;
        initiator.SaysText(1, "", tag, final: false, more: true, raw: new byte[8]).HearsReject(RejectReason.ProtocolError)
            .SaysNop(2).HearsNop(2);
    }
}
