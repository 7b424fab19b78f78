using Slipway.Server.Tests.Net;

namespace Slipway.EndToEnd;

/// <summary>A network namespace with one interface that has the server's address, and a machine's cable in it.</summary>
internal static class GuestNetwork
{
    public const string Tap = "tap0";

    public static NetworkNamespace Create(string role, string name, string address)
    {
        var network = new NetworkNamespace(role);
        network.Ip("link", "add", name, "type", "bridge", "forward_delay", "0");
        network.Ip("addr", "add", address, "dev", name);
        network.Ip("link", "set", name, "up");
        network.Ip("tuntap", "add", "dev", Tap, "mode", "tap");
        network.Ip("link", "set", Tap, "master", name, "up");
        return network;
    }
}
