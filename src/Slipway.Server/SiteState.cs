using System.Security.Cryptography;
using Slipway.Dhcp.Leases;
using Slipway.Fleet.Store;
using Slipway.Server.Dhcp;
using Slipway.Server.Diagnosis;
using Slipway.Server.Https;
using Slipway.Server.Site;
using Slipway.Volumes.Store;

namespace Slipway.Server;

/// <summary>
/// Opens what a site keeps from one start of its server to the next, in its state folder. What is damaged is told with what to
/// do, and nothing new is made in its place.
/// </summary>
internal static class SiteState
{
    /// <summary>The database, under the state folder.</summary>
    public const string DatabaseFile = "slipway.db";

    /// <summary>
    /// The DHCP leases, in a database of their own: SQLite has one writer for each file, and an answer of DHCP would wait for
    /// the disk whenever something else is being made to survive a power cut.
    /// </summary>
    public const string LeasesFile = "leases.db";

    /// <exception cref="SiteConfigurationException">It cannot be made.</exception>
    public static void CreateFolder(string folder)
    {
        try
        {
            PrivateFolder.Create(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CannotUse(folder, e);
        }
    }

    /// <exception cref="SiteConfigurationException">Its key or certificate is lost or damaged.</exception>
    public static SiteAuthority OpenAuthority(SiteConfiguration site, TimeProvider clock)
    {
        try
        {
            return SiteAuthority.Open(site.State, site.Name, clock);
        }
        catch (CryptographicException e)
        {
            throw new SiteConfigurationException($"the site's authority: {e.Message}. {CertificateChecks.BringBack}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CannotUse(site.State, e);
        }
    }

    /// <exception cref="SiteConfigurationException">It is damaged, or of a later version.</exception>
    public static FleetStore OpenStore(string folder)
    {
        try
        {
            return FleetStore.Open(Path.Combine(folder, DatabaseFile));
        }
        catch (FleetStoreException e)
        {
            throw new SiteConfigurationException(e.Message, e);
        }
    }

    /// <exception cref="SiteConfigurationException">They are damaged, or of a later version.</exception>
    public static (SqliteLeaseStore Store, IReadOnlyList<Lease> Kept) OpenLeases(string folder)
    {
        var path = Path.Combine(folder, LeasesFile);
        SqliteLeaseStore? store = null;
        try
        {
            store = new SqliteLeaseStore(path);
            return (store, [.. store.Load()]);
        }
        catch (LeaseStoreException e)
        {
            store?.Dispose();
            throw new SiteConfigurationException($"{e.Message}. {StateChecks.WithoutLeases(path)}", e);
        }
    }

    private static SiteConfigurationException CannotUse(string folder, Exception e) =>
        new($"the state folder {folder} cannot be used: {e.Message} Run slipway serve as the user that the folder belongs to, or as root; or name another as state:", e);
}
