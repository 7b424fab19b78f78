using Slipway.Dhcp.Networks;
using Slipway.Server.Site;
using Slipway.Server.Site.Yaml;
using Slipway.Volumes.Raw;

namespace Slipway.Server.Machines;

/// <summary>
/// Puts another site in the place of the one that is served, all of it or nothing. The file that the server was started with
/// is written last, so that a restart finds what was served before it.
/// </summary>
internal sealed class SiteApply(CurrentSite current, MachineRegistry registry, Action<IReadOnlyList<DhcpNetwork>> networksChanged)
{
    /// <summary>The whole site as one file.</summary>
    /// <exception cref="MachineRefusedException">The server was not started with a file.</exception>
    public SiteText Export()
    {
        var text = Source();
        return text with { Content = text.With([.. registry.Registrations().Values.Where(r => current.Value.Machines.All(m => m.Mac != r.Mac)).OrderBy(r => r.Name, StringComparer.Ordinal)]) };
    }

    /// <summary>What would change. Nothing does.</summary>
    /// <param name="name">What to call the text in mistakes. Its paths are relative to the folder of the server's own file.</param>
    /// <exception cref="SiteConfigurationException">It is no site; all mistakes.</exception>
    /// <exception cref="MachineRefusedException">The server was not started with a file.</exception>
    public IReadOnlyList<SiteChange> Plan(string text, string name) => Examine(text, name).Changes;

    /// <summary>Applies it.</summary>
    /// <exception cref="SiteConfigurationException">It is no site; all mistakes.</exception>
    /// <exception cref="MachineRefusedException">It cannot be served, or not without a restart; nothing changed.</exception>
    public async Task<IReadOnlyList<SiteChange>> ApplyAsync(string text, string name, CancellationToken cancellation)
    {
        var (site, networks, changes) = Examine(text, name);
        if (changes.Where(c => !c.IsLive).Select(c => c.Path).ToList() is { Count: > 0 } fixedOnes)
            throw new MachineRefusedException($"{string.Join(", ", fixedOnes)}: a running server cannot change that, and nothing was changed. Edit {Source().Path}, and start the server anew");
        if (changes.Count == 0)
            return changes;
        site = site with { Source = new SiteText(Source().Path, text) };
        await registry.ReplaceAsync(site, () =>
        {
            try
            {
                DurableFile.Replace(site.Source.Path, System.Text.Encoding.UTF8.GetBytes(text));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new MachineRefusedException($"{site.Source.Path} cannot be written, and nothing was changed: {e.Message}", e);
            }
            current.Set(site);
        }, cancellation);
        networksChanged(networks);
        return changes;
    }

    private SiteText Source() => current.Value.Source ?? throw new MachineRefusedException("this server was not started with a site's file");

    private (SiteConfiguration Site, IReadOnlyList<DhcpNetwork> Networks, IReadOnlyList<SiteChange> Changes) Examine(string text, string name)
    {
        // Paths are the server's, mistakes are told in the operator's file.
        var site = SiteFile.Parse(new StringReader(text), name, Path.GetDirectoryName(Source().Path)!);
        Ipv6Settings.NetworksOf(site);
        var networks = SiteNetworks.Of(site);
        return (site, networks, SiteDifference.Between(SiteFile.RootOf(new StringReader(Export().Content), Source().Path), SiteFile.RootOf(new StringReader(text), name)));
    }
}
