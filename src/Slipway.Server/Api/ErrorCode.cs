using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Slipway.Server.Api;

/// <summary>The code at the end of a message, for programs: <c>SLP1007</c> of "… (slipway explain SLP1007)".</summary>
internal static partial class ErrorCode
{
    /// <summary>Null where the message has none, which most have not.</summary>
    public static string? In(string? message) => message is not null && Pattern().Match(message) is { Success: true } match ? match.Groups[1].Value : null;

    /// <summary>A refusal (RFC 9457), with its code as a member of its own.</summary>
    public static ProblemHttpResult Problem(string detail, int statusCode) => TypedResults.Problem(detail, statusCode: statusCode,
        extensions: In(detail) is { } code ? new Dictionary<string, object?> { ["code"] = code } : null);

    [GeneratedRegex(@"\(slipway explain (SLP\d{4})\)")]
    private static partial Regex Pattern();
}
