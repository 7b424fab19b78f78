using System.Globalization;

namespace Slipway.Server.Site.Yaml;

/// <summary>A time as a site's file has it: a number and <c>s</c>, <c>m</c>, <c>h</c> or <c>d</c>.</summary>
internal static class SiteTime
{
    private static readonly (char Unit, long Seconds)[] Units = [('d', 86400), ('h', 3600), ('m', 60), ('s', 1)];

    /// <summary>Null where the text is no such time, or one of more than 31 bits of seconds.</summary>
    public static TimeSpan? Parse(string text)
    {
        if (text.Length < 2 || !int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count))
            return null;
        var seconds = Units.FirstOrDefault(u => u.Unit == text[^1]).Seconds * count;
        return seconds is > 0 and <= int.MaxValue ? TimeSpan.FromSeconds(seconds) : null;
    }

    public static string Write(TimeSpan time)
    {
        var seconds = (long)time.TotalSeconds;
        var (unit, length) = Units.First(u => seconds % u.Seconds == 0);
        return string.Create(CultureInfo.InvariantCulture, $"{seconds / length}{unit}");
    }
}
