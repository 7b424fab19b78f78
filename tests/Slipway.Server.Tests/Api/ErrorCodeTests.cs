using System.Text.Json;
using Slipway.Server.Api;
using Slipway.Server.Diagnosis;

namespace Slipway.Server.Tests.Api;

/// <summary>What a program reads of an error, beside the sentence.</summary>
public sealed class ErrorCodeTests
{
    [Theory]
    [InlineData("the disk is in use (slipway explain SLP2006)", "SLP2006")]
    [InlineData("the disk is in use (slipway explain SLP2006), and so is the other", "SLP2006")]
    [InlineData("SLP2006 is a code", null)]
    [InlineData(null, null)]
    public void A_code_is_what_the_sentence_sends_to(string? message, string? code) => Assert.Equal(code, ErrorCode.In(message));

    [Fact]
    public void Findings_boots_and_their_events_have_it_as_a_member()
    {
        IReadOnlyList<Finding> findings = [new("clock", Health.Warning, "nothing keeps it right", "run chrony (slipway explain SLP2003)"), new("space", Health.Ok, "much")];
        var json = JsonSerializer.SerializeToElement(findings, ControlJson.Default.IReadOnlyListFinding);
        Assert.Equal("SLP2003", json[0].GetProperty("code").GetString());
        Assert.False(json[1].TryGetProperty("code", out _));

        List<BootView> boots = [new("1", "node-1", "52:54:00:00:00:01", default, "kernel", "stalled", default, "the kernel did not log in (slipway explain SLP1009)",
            [new("1", "node-1", "52:54:00:00:00:01", default, 1, "kernel", "stalled", "the kernel did not log in (slipway explain SLP1009)", new Dictionary<string, string>())])];
        json = JsonSerializer.SerializeToElement(boots, ControlJson.Default.ListBootView);
        Assert.Equal("SLP1009", json[0].GetProperty("code").GetString());
        Assert.Equal("SLP1009", json[0].GetProperty("events")[0].GetProperty("code").GetString());
        Assert.Equal("SLP1009", ErrorCode.Problem(boots[0].Problem!, 409).ProblemDetails.Extensions["code"]);
    }
}
