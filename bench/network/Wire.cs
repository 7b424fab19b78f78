using System.Globalization;

namespace Slipway.Bench.Network;

/// <summary>Two network namespaces with a cable between: servers in one, clients in the other.</summary>
internal sealed class Wire : IDisposable
{
    public const string Link = "b0", Server = "10.64.0.1", Client = "10.64.0.2";

    /// <summary>The subnet of the storm's machines, behind a relay in the clients' namespace.</summary>
    public const string Hall = "10.80.0.0/16", Relay = "10.80.0.1";

    private readonly string _servers = $"slw-bench-s{Environment.ProcessId.ToString(CultureInfo.InvariantCulture)}";
    private readonly string _clients = $"slw-bench-c{Environment.ProcessId.ToString(CultureInfo.InvariantCulture)}";

    public Wire()
    {
        Tool.Run("ip", "netns", "add", _servers);
        Tool.Run("ip", "netns", "add", _clients);
        Tool.Run("ip", "-n", _servers, "link", "add", Link, "type", "veth", "peer", "name", Link, "netns", _clients);
        Tool.Run("ip", "-n", _servers, "addr", "add", $"{Server}/12", "dev", Link);
        Tool.Run("ip", "-n", _clients, "addr", "add", $"{Client}/12", "dev", Link);
        foreach (var name in (string[])[_servers, _clients])
        {
            Tool.Run("ip", "-n", name, "link", "set", Link, "up");
            Tool.Run("ip", "-n", name, "link", "set", "lo", "up");
        }
        // Every address of the hall is the clients' own: each machine talks from the one that it was leased.
        Tool.Run("ip", "-n", _clients, "route", "add", "local", Hall, "dev", "lo");
        Tool.Run("ip", "-n", _servers, "route", "add", Hall, "via", Client);
    }

    public string[] InServers(params IEnumerable<string> command) => ["netns", "exec", _servers, .. command];

    public string[] InClients(params IEnumerable<string> command) => ["netns", "exec", _clients, .. command];

    public void Dispose()
    {
        Tool.Run("ip", "netns", "del", _servers);
        Tool.Run("ip", "netns", "del", _clients);
    }
}
