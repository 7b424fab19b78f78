using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using Slipway.Server.Boot.Programs;
using Slipway.Server.Https;
using Slipway.Server.Site;

namespace Slipway.Server.Diagnosis;

internal static class StateChecks
{
    // SQLITE_CANTOPEN.
    private const int CannotOpen = 14;

    private const long Little = 2L << 30, Nothing = 100L << 20;
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    public static IEnumerable<Finding> Folder(SiteConfiguration site)
    {
        if (!Directory.Exists(site.State))
        {
            yield return new("state", Health.Ok, $"{site.State} will be made at the first start");
            yield break;
        }
        foreach (var name in (string[])[SiteAuthority.KeyFile, SiteState.DatabaseFile])
        {
            var path = Path.Combine(site.State, name);
            if (!File.Exists(path))
                continue;
            yield return (new FileInfo(path).UnixFileMode & Others) == 0
                ? new("secrets", Health.Ok, $"{path} is its owner's alone")
                : new("secrets", Health.Failure, $"{path} can be read or written by others", $"chmod 600 {path}");
        }
        yield return Database(Path.Combine(site.State, SiteState.DatabaseFile), "bring it back from a copy; sqlite3's .recover rescues what can be");
        var leases = Path.Combine(site.State, SiteState.LeasesFile);
        yield return Database(leases, WithoutLeases(leases));
        var free = new DriveInfo(site.State).AvailableFreeSpace;
        var text = $"{free / (1 << 20):N0} MiB are free under {site.State}";
        yield return free switch
        {
            < Nothing => new("space", Health.Failure, text, "remove what slipway volume usage and slipway image list show and nobody needs, or make the file system larger: machines cannot write (slipway explain SLP2005)"),
            < Little => new("space", Health.Warning, text, "make room before machines cannot write any more (slipway explain SLP2005)"),
            _ => new("space", Health.Ok, text),
        };
    }

    public static string WithoutLeases(string path) =>
        $"Move {path} and what begins with its name away: the server then begins without leases, and pings an address before it gives it";

    private static Finding Database(string path, string advice)
    {
        const string subject = "database";
        if (!File.Exists(path))
            return new(subject, Health.Ok, $"{path} will be made at the next start");
        try
        {
            using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, Mode = SqliteOpenMode.ReadOnly }.ToString());
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA quick_check(1)";
            return command.ExecuteScalar() is "ok"
                ? new(subject, Health.Ok, $"{path} is whole")
                : new(subject, Health.Failure, $"{path} is damaged", advice);
        }
        catch (SqliteException e) when (e.SqliteErrorCode == CannotOpen)
        {
            return new(subject, Health.Warning, $"{path} may not be opened", "run slipway doctor as the user that serves");
        }
        catch (SqliteException e)
        {
            return new(subject, Health.Failure, $"{path} cannot be read: {e.Message}", advice);
        }
    }

    /// <summary>What firmware that boots from the network is sent.</summary>
    public static IEnumerable<Finding> Programs(SiteConfiguration site, TimeProvider clock)
    {
        // A stock program can be given any fingerprint; one that was built for a site has to have that site's.
        var programs = new BootPrograms(site.Ipxe, CertificateChecks.RootFingerprint(site, clock) ?? RandomNumberGenerator.GetBytes(32));
        foreach (var refused in programs.Refused)
            yield return new("iPXE", Health.Warning, refused, "put a build in its place that TRUST= was made for, or remove it (slipway explain SLP2008)");
        yield return (programs.ByPlatform.Count, programs.Refused.Count) switch
        {
            (0, 0) => new("iPXE", Health.Warning, $"there is none in {site.Ipxe}: firmware that boots from the network gets nothing", "apt-get install ipxe, or name a folder as ipxe: in slipway.yaml (slipway explain SLP2008)"),
            (0, _) => new("iPXE", Health.Warning, $"none of {site.Ipxe} can be sent: firmware that boots from the network gets nothing", "take those of Debian 13's package ipxe (slipway explain SLP2008)"),
            _ => new("iPXE", Health.Ok, string.Join(", ", programs.ByPlatform.Select(p => $"{p.Value} for {p.Key}"))),
        };
    }
}
