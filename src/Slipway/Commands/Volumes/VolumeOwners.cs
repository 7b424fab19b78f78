using Slipway.Commands.Fleet;
using Slipway.Fleet.Store;
using Slipway.Server;
using Slipway.Server.Api;
using Slipway.Volumes.Store;

namespace Slipway.Commands.Volumes;

/// <summary>The machines whose disk a volume is.</summary>
internal static class VolumeOwners
{
    /// <summary>As the running server says; where none runs, as its database and the volume itself do: the site's file may name more.</summary>
    /// <param name="state">The site's state folder.</param>
    /// <exception cref="FleetStoreException">The database cannot be read.</exception>
    public static async Task<IReadOnlyList<string>> OfAsync(StoredVolume volume, string state, CancellationToken cancellation)
    {
        if (await RunningServer.TryConnectAsync(state, cancellation) is { } server)
        {
            using (server)
                return [.. (await server.GetAsync<List<MachineView>>("machines", cancellation)).Where(m => m.Volume == volume.Name || m.Volume == volume.Path).Select(m => m.Name!)];
        }
        var owners = new SortedSet<string>(StringComparer.Ordinal);
        if (volume.Machine is { } machine)
            owners.Add(machine);
        var database = Path.Combine(state, SiteState.DatabaseFile);
        if (File.Exists(database))
        {
            using var fleet = FleetStore.Look(database);
            owners.UnionWith(fleet.Machines().Where(m => m.Volume == volume.Name || m.Volume == volume.Path).Select(m => m.Name));
        }
        return [.. owners];
    }
}
