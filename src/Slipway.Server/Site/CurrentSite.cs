namespace Slipway.Server.Site;

/// <summary>The site as it is served now. It changes as a whole, when an operator applies another.</summary>
public sealed class CurrentSite(SiteConfiguration site)
{
    private volatile SiteConfiguration _value = site;

    public SiteConfiguration Value => _value;

    internal void Set(SiteConfiguration site) => _value = site;
}
