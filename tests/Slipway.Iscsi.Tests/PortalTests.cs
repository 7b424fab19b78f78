using Slipway.Iscsi.Target;

namespace Slipway.Iscsi.Tests;

public class PortalTests
{
    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1:3260")]
    [InlineData("192.0.2.1:3261", "192.0.2.1:3261")]
    [InlineData("192.0.2.1:0", "192.0.2.1:0")]
    [InlineData("0.0.0.0", "0.0.0.0:3260")]
    [InlineData("2001:db8::1", "[2001:db8::1]:3260")]
    [InlineData("[2001:db8::1]", "[2001:db8::1]:3260")]
    [InlineData("[2001:db8::1]:3261", "[2001:db8::1]:3261")]
    [InlineData("[::]:0", "[::]:0")]
    [InlineData("::", "[::]:3260")]
    [InlineData("3261", null)]
    [InlineData("10.0.1:3261", null)]
    [InlineData("192.0.2.1:65536", null)]
    [InlineData("[2001:db8::1]:port", null)]
    [InlineData("server:3260", null)]
    [InlineData("", null)]
    public void An_address_is_read_with_its_port_or_the_one_of_iSCSI(string text, string? portal) =>
        Assert.Equal(portal, Portal.TryParse(text, Portal.DefaultPort, out var parsed) ? parsed.ToString() : null);

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1:0")]
    [InlineData("[2001:db8::1]:3261", "[2001:db8::1]:3261")]
    [InlineData("0.0.0.0:3260", null)]
    [InlineData("::", null)]
    public void Nobody_is_sent_to_an_address_of_no_host(string text, string? portal) =>
        Assert.Equal(portal, Portal.TryParseReachable(text, out var parsed) ? parsed.ToString() : null);
}
