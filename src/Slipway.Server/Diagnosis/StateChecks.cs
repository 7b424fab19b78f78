using Slipway.Server.Boot;
using Slipway.Server.Https;
using Slipway.Server.Site;

namespace Slipway.Server.Diagnosis;

internal static class StateChecks
{
    private const long Little = 2L << 30, Nothing = 100L << 20;
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    public static IEnumerable<Finding> Folder(SiteConfiguration site)
    {
        if (!Directory.Exists(site.State))
        {
            yield return new("state", Health.Ok, $"{site.State} will be made at the first start");
            yield break;
        }
        foreach (var name in (string[])[SiteAuthority.KeyFile, SlipwayServer.DatabaseFile])
        {
            var path = Path.Combine(site.State, name);
            if (!File.Exists(path))
                continue;
            yield return (new FileInfo(path).UnixFileMode & Others) == 0
                ? new("secrets", Health.Ok, $"{path} is its owner's alone")
                : new("secrets", Health.Failure, $"{path} can be read or written by others", $"chmod 600 {path}");
        }
        var free = new DriveInfo(site.State).AvailableFreeSpace;
        var text = $"{free / (1 << 20):N0} MiB are free under {site.State}";
        yield return free switch
        {
            < Nothing => new("space", Health.Failure, text, "remove what slipway volume usage and slipway image list show and nobody needs, or make the file system larger: machines cannot write"),
            < Little => new("space", Health.Warning, text, "make room before machines cannot write any more"),
            _ => new("space", Health.Ok, text),
        };
    }

    /// <summary>What firmware that boots from the network is sent.</summary>
    public static IEnumerable<Finding> Programs(SiteConfiguration site)
    {
        // Whose fingerprint they are given makes no difference to whether they can be.
        var programs = BootPrograms.Load(site.Ipxe, new byte[32]);
        foreach (var refused in programs.Refused)
            yield return new("iPXE", Health.Warning, refused, "put a build in its place that TRUST= was made for, or remove it (docs/firmware.md)");
        yield return programs.ByPlatform.Count == 0
            ? new("iPXE", Health.Warning, $"there is none in {site.Ipxe}: firmware that boots from the network gets nothing", "apt-get install ipxe, or name a folder as ipxe: in slipway.yaml")
            : new("iPXE", Health.Ok, string.Join(", ", programs.ByPlatform.Select(p => $"{p.Value} for {p.Key}")));
    }
}
