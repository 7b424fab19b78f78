namespace Slipway.Server.Site;

/// <summary>The configuration cannot be used. The message says where it is wrong and what would be right.</summary>
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
}
