using System.Net;
using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Target;
using static Slipway.Iscsi.Pdu.LoginStage;

namespace Slipway.Iscsi.Tests.Login;

public class InitiatorAccessTests
{
    [Theory]
    [InlineData("10.0.0.0/24", "10.0.0.0/24")]
    [InlineData("10.0.0.77/24", "10.0.0.0/24")]
    [InlineData("10.0.0.77/31", "10.0.0.76/31")]
    [InlineData("10.0.0.77", "10.0.0.77/32")]
    [InlineData("0.0.0.0/0", "0.0.0.0/0")]
    [InlineData("fd00::9/8", "fd00::/8")]
    [InlineData("fd00::9", "fd00::9/128")]
    [InlineData("10", null)]
    [InlineData("10.0.0/24", null)]
    [InlineData("10.0.0.0/33", null)]
    [InlineData("10.0.0.0/", null)]
    [InlineData("10.0.0.0/-1", null)]
    [InlineData("fd00::/129", null)]
    [InlineData("host", null)]
    [InlineData("", null)]
    public void Networks_are_read(string text, string? network) => Assert.Equal(network, InitiatorAccess.ParseNetwork(text)?.ToString());

    [Theory]
    [InlineData("iqn.2026-01.test:host", "", "10.0.0.2", true)]
    [InlineData("iqn.2026-01.TEST:Host", "", "10.0.0.2", true)]
    [InlineData("iqn.2026-01.test:other", "", "10.0.0.2", false)]
    [InlineData("", "10.0.0.0/24", "10.0.0.2", true)]
    [InlineData("", "10.0.1.0/24", "10.0.0.2", false)]
    [InlineData("", "10.0.1.0/24 fd00::/8", "fd12::1", true)]
    [InlineData("", "10.0.1.0/24", "fd12::1", false)]
    [InlineData("iqn.2026-01.test:host", "10.0.1.0/24", "10.0.0.2", false)]
    [InlineData("iqn.2026-01.test:other iqn.2026-01.test:host", "10.0.1.0/24 10.0.0.2/32", "10.0.0.2", true)]
    [InlineData("", "", "10.0.0.2", true)]
    public void A_login_needs_a_name_and_a_network_that_are_allowed(string initiators, string networks, string from, bool admitted)
    {
        var access = new InitiatorAccess
        {
            Initiators = initiators.Split(' ', StringSplitOptions.RemoveEmptyEntries),
            Networks = [.. networks.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(n => IPNetwork.Parse(n))],
        };
        var site = new Site { Decide = facts => access.Refusal(facts) is { } reason ? Admission.Refuse(LoginStatus.AuthorizationFailure, reason) : null };
        var initiator = new ScriptedInitiator(site, IPAddress.Parse(from)).SaysLogin(OperationalNegotiation, FullFeaturePhase, ScriptedInitiator.Names);
        if (admitted)
        {
            initiator.Enters();
            return;
        }
        initiator.HearsRefusal(LoginStatus.AuthorizationFailure, networks.Length > 0 ? "in none of the networks allowed" : "is not an initiator that may use iqn.2026-01.test:disk");
        Assert.Equal(RefusalKind.UnknownInitiator, site.Single<Refused>().Kind);
    }

    [Theory]
    [InlineData(true, "10.0.0.9", LoginStatus.TargetMovedPermanently, "TargetAddress=10.0.0.9:3261")]
    [InlineData(false, "fe80::9%3", LoginStatus.TargetMovedTemporarily, "TargetAddress=[fe80::9]:3261")]
    public void A_target_that_moved_says_where_to(bool permanently, string address, LoginStatus status, string text)
    {
        var site = new Site { Decide = _ => Admission.Redirect(new(IPAddress.Parse(address), 3261), permanently) };
        var initiator = site.Connect().SaysLogin(SecurityNegotiation, OperationalNegotiation, $"{ScriptedInitiator.Names} AuthMethod=None").Hears(Opcode.LoginResponse, out var reply);
        Assert.Equal((status, text), (new LoginResponsePdu(reply.Bytes).Status, reply.Text));
        initiator.IsClosed("sent to");
        Assert.Equal(RefusalKind.Redirected, site.Single<Refused>().Kind);
    }
}
