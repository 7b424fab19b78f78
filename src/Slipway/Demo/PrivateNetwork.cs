using System.Net;
using System.Net.NetworkInformation;
using Slipway.Host;

namespace Slipway.Demo;

/// <summary>
/// The network between the server and the machines: a bridge in this process's own network namespace, where the host's
/// networks do not exist. It is gone with the last process in it.
/// </summary>
internal static class PrivateNetwork
{
    public const string Bridge = "slip0";
    public const int PrefixLength = 24;

    private const string TapDevice = "/dev/net/tun";

    public static IPAddress Server { get; } = IPAddress.Parse("10.77.0.1");

    public static IPAddress FirstLease { get; } = IPAddress.Parse("10.77.0.100");

    public static IPAddress LastLease { get; } = IPAddress.Parse("10.77.0.199");

    public static string TapOf(int machine) => $"tap{machine}";

    public static async Task CreateAsync(int machines, CancellationToken cancellation)
    {
        if (!IsPrivate()) throw new InvalidOperationException("the demo's network would be made among the host's own");
        await IpAsync("link set lo up", cancellation);
        // Without a delay a new port forwards at once; firmware would lose its first DHCP packets otherwise.
        await IpAsync($"link add {Bridge} type bridge forward_delay 0", cancellation);
        await IpAsync($"addr add {Server}/{PrefixLength} dev {Bridge}", cancellation);
        await IpAsync($"link set {Bridge} up", cancellation);
        for (var i = 0; i < machines; i++)
        {
            await IpAsync($"tuntap add dev {TapOf(i)} mode tap", cancellation);
            await IpAsync($"link set {TapOf(i)} master {Bridge} up", cancellation);
        }
    }

    // A new namespace has a loopback interface and nothing else.
    private static bool IsPrivate() => NetworkInterface.GetAllNetworkInterfaces().All(i => i.Name == "lo");

    /// <exception cref="DemoException">Machines cannot be plugged in: this user may not make taps.</exception>
    public static void CheckTaps()
    {
        try
        {
            using var tun = File.OpenHandle(TapDevice, FileMode.Open, FileAccess.ReadWrite);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DemoException($"{TapDevice} cannot be opened ({e.Message}): run the demo as root, or `modprobe tun && chmod 666 {TapDevice}` first", e);
        }
    }

    private static Task IpAsync(string arguments, CancellationToken cancellation) => HostProgram.RunAsync("ip", arguments.Split(' '), cancellation);
}
