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
        Leases(),
    };

    private static Command Leases()
    {
        var history = new Option<string?>("--history") { Description = "Instead: who had this address, or what this machine (name or MAC address) had, the latest first; kept for 90 days", HelpName = "who" };
        return new Command("leases", "List the addresses that were given.") { history }.Asks((server, parsed, cancellation) => server.GetAsync<List<LeaseView>>(
            parsed.GetValue(history) is { } of ? $"leases/history?of={Uri.EscapeDataString(of)}" : "leases", cancellation), List);
    }

    private static string List(List<LeaseView> leases) => leases.Count == 0 ? "" : TextTable.Of(
        ["ADDRESS", "NETWORK", "MAC", "MACHINE", "STATE", "SINCE", "UNTIL", "HOST NAME"],
        leases.Select(l => (IReadOnlyList<string?>)[l.Address, l.Network, l.Hardware, l.Machine, l.State, Text(l.Start), Text(l.End), l.HostName]));

    private static string Text(DateTimeOffset time) => time.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", null);
}
