namespace Slipway.Server.Site;

/// <summary>Names of sites and machines: they must be good in an iSCSI name too (RFC 3722).</summary>
internal static class SiteName
{
    public const string Rule = "up to 60 lower-case letters, digits, '-' and '.'";

    public static bool IsValid(string name) =>
        name.Length is > 0 and <= 60 && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.');
}
