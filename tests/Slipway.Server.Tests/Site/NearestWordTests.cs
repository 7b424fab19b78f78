using Slipway.Server.Site;

namespace Slipway.Server.Tests.Site;

public sealed class NearestWordTests
{
    private static readonly string[] Words = ["name", "address", "router", "lease-time", "reservations", "pool", "relays"];

    [Theory]
    [InlineData("nmae", "name")]
    [InlineData("Name", "name")]
    [InlineData("ruter", "router")]
    [InlineData("lease_time", "lease-time")]
    [InlineData("leasetimes", "lease-time")]
    [InlineData("reservation", "reservations")]
    [InlineData("rel", "relays")]
    [InlineData("re", null)]
    [InlineData("range", null)]
    [InlineData("colour", null)]
    [InlineData("", null)]
    public void Only_what_is_near_is_asked_for(string word, string? meant) => Assert.Equal(meant, NearestWord.Of(word, Words));
}
