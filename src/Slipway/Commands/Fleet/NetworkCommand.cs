using System.CommandLine;
using Slipway.Commands.Volumes;
using Slipway.Server.Api;

namespace Slipway.Commands.Fleet;

/// <summary><c>slipway network</c>: who has which address.</summary>
internal static class NetworkCommand
{
    public static Command Create() => new("network", "The site's networks.")
    {
        StoreCommand.State,
        StoreCommand.Json,
        new Command("leases", "List the addresses that were given.").Asks((server, _, cancellation) => server.GetAsync<List<LeaseView>>("leases", cancellation), List),
    };

    private static string List(List<LeaseView> leases) => leases.Count == 0 ? "" : TextTable.Of(
        ["ADDRESS", "NETWORK", "MAC", "MACHINE", "STATE", "UNTIL", "HOST NAME"],
        leases.Select(l => (IReadOnlyList<string?>)[l.Address, l.Network, l.Hardware, l.Machine, l.State, l.End.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", null), l.HostName]));
}
