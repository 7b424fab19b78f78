using System.Globalization;
using System.Net;
using Slipway.Dhcp.Networks;
using Slipway.Dhcp.Server;
using Slipway.Server.Site;

namespace Slipway.Server.Diagnosis;

/// <summary>Who holds the ports that a site needs, by proc(5): <c>/proc/net/tcp</c>, <c>udp</c>, and the open files of processes.</summary>
internal static class PortChecks
{
    // State 0A is LISTEN; UDP's sockets are 07.
    private const string Listening = "0A", Unconnected = "07";

    private static readonly string Self = Path.GetFileName(Environment.ProcessPath ?? "slipway");

    private sealed record Holder(IPAddress Address, int Port, string Inode);

    public static IEnumerable<Finding> Ports(SiteConfiguration site)
    {
        var (tcp, udp) = (Sockets("tcp", Listening), Sockets("udp", Unconnected));
        // Once for all ports, and not at all where every one is free.
        var processes = new Lazy<Dictionary<string, (string Name, int Id)>>(Processes);
        foreach (var network in site.Networks)
        {
            if (network.Mode != NetworkMode.Off)
            {
                yield return Port(udp, processes, "udp", IPAddress.Any, DhcpServer.Port, $"DHCP on {network.Interface}");
                yield return Port(udp, processes, "udp", IPAddress.Any, DhcpServer.BootServerPort, $"ProxyDHCP on {network.Interface}");
            }
            foreach (var address in network.BootAddresses)
                yield return Port(udp, processes, "udp", address, SlipwayServer.TftpPort, $"TFTP on {address}");
            foreach (var endpoint in network.SyslogEndpoints)
                yield return Port(udp, processes, "udp", endpoint.Address, endpoint.Port, $"syslog on {endpoint.Address}", ", or write another port, or off, as syslog: of the network");
            foreach (var address in network.HttpsAddresses)
                yield return Port(tcp, processes, "tcp", address, SlipwayServer.HttpsPort, $"HTTPS on {address}");
            foreach (var address in network.Addresses.Intersect(site.TargetAddresses))
                yield return Port(tcp, processes, "tcp", address, SlipwayServer.IscsiPort, $"iSCSI on {address}");
            if (network.HttpBoot == HttpBootScheme.Http)
            {
                foreach (var address in network.BootAddresses)
                    yield return Port(tcp, processes, "tcp", address, SlipwayServer.HttpPort, $"HTTP on {address}");
            }
        }
    }

    private static Finding Port(IReadOnlyList<Holder> sockets, Lazy<Dictionary<string, (string Name, int Id)>> processes, string protocol, IPAddress address, int port, string use, string otherwise = "")
    {
        var subject = $"port {port}/{protocol}";
        var held = sockets.Where(s => s.Port == port && s.Address.AddressFamily == address.AddressFamily && (IsAny(s.Address) || IsAny(address) || s.Address.Equals(address))).ToList();
        if (held.Count == 0)
            return new(subject, Health.Ok, $"free for {use}");
        var holders = held.Select(s => processes.Value.TryGetValue(s.Inode, out var process) ? process : ((string Name, int Id)?)null).Distinct().ToList();
        if (holders.All(h => h?.Name == Self))
            return new(subject, Health.Ok, $"{use} is served by {string.Join(", ", holders.Select(h => $"{h!.Value.Name} (process {h.Value.Id})"))}");
        var who = string.Join(", ", holders.Select(h => h is { } known ? $"{known.Name} (process {known.Id})" : "a process that only root may see"));
        return new(subject, Health.Failure, $"{who} has it, which {use} needs", $"stop that program, or let it listen on other addresses only{otherwise} (slipway explain SLP2002)");
    }

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    private static List<Holder> Sockets(string protocol, string state) => [.. new[] { protocol, protocol + "6" }
        .Select(name => $"/proc/net/{name}").Where(File.Exists).SelectMany(File.ReadLines)
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Where(words => words.Length > 9 && words[3] == state)
        .Select(words => new Holder(AddressOf(words[1].Split(':')[0]), int.Parse(words[1].Split(':')[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture), words[9]))];

    // Words of 32 bits in the host's order, each written as a number.
    private static IPAddress AddressOf(string hex)
    {
        var bytes = Convert.FromHexString(hex);
        if (BitConverter.IsLittleEndian)
        {
            for (var word = 0; word < bytes.Length; word += 4)
                bytes.AsSpan(word, 4).Reverse();
        }
        var address = new IPAddress(bytes);
        // A socket of both families is in the table of the newer one.
        return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
    }

    /// <summary>Processes by the inodes of their sockets; without those that only root may look into.</summary>
    private static Dictionary<string, (string Name, int Id)> Processes()
    {
        const string Socket = "socket:[";
        var processes = new Dictionary<string, (string Name, int Id)>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var id))
                continue;
            try
            {
                var name = File.ReadAllText(Path.Combine(folder, "comm")).Trim();
                foreach (var link in Directory.EnumerateFiles(Path.Combine(folder, "fd")).Select(file => new FileInfo(file).LinkTarget))
                {
                    if (link is not null && link.StartsWith(Socket, StringComparison.Ordinal))
                        processes.TryAdd(link[Socket.Length..^1], (name, id));
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It has ended, or it is somebody else's.
            }
        }
        return processes;
    }
}
