using Slipway.Server.Site.Yaml;

namespace Slipway.Server.Site;

/// <summary>The configuration cannot be used. The message says where it is wrong and what would be right, a line for each mistake.</summary>
public sealed class SiteConfigurationException : Exception
{
    public SiteConfigurationException(string message)
        : base(message)
    {
    }

    public SiteConfigurationException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public SiteConfigurationException()
    {
    }

    /// <summary>Of several mistakes, in the order of their lines.</summary>
    internal static SiteConfigurationException Of(IEnumerable<SiteConfigurationException> mistakes) =>
        new(string.Join('\n', mistakes.OrderBy(m => m.Line).Select(m => m.Message).Distinct()));

    /// <summary>Where it is; 0 where it has no one line.</summary>
    internal int Line { get; init; }

    /// <summary>Takes what is wrong out of what is read, so that reading can go on to the next mistake; null where it cannot.</summary>
    internal Action? Forget { get; init; }

    /// <summary>Comes of what was forgotten: nobody is to be told.</summary>
    internal bool IsConsequence { get; init; }

    /// <summary>The section of the file that it is in.</summary>
    internal YamlSection? Section { get; init; }

    /// <summary>The key in that section.</summary>
    internal string? Key { get; init; }
}
