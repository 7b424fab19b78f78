using System.Text.Json.Serialization;
using Slipway.Server.Api;

namespace Slipway.Server.Diagnosis;

[JsonConverter(typeof(JsonStringEnumConverter<Health>))]
public enum Health
{
    [JsonStringEnumMemberName("ok")]
    Ok,

    /// <summary>Works, but not for everybody or not for long.</summary>
    [JsonStringEnumMemberName("warning")]
    Warning,

    /// <summary>Keeps the server, or machines, from working.</summary>
    [JsonStringEnumMemberName("failure")]
    Failure,
}

/// <summary>What one check saw.</summary>
/// <param name="Subject">What was looked at: <c>network boot</c>, <c>port 67/udp</c>.</param>
/// <param name="Advice">What to do; null where there is nothing to do.</param>
public sealed record Finding(string Subject, Health Health, string Text, string? Advice = null)
{
    /// <summary>What <c>slipway explain</c> has a page for; null where it has none.</summary>
    public string? Code => ErrorCode.In(Advice) ?? ErrorCode.In(Text);
}
