using System.Net.Sockets;
using Slipway.Bench.Peers;

namespace Slipway.Bench.Network.Peers;

/// <summary>Debian's Kea, its leases in the file that it keeps by default (memfile, persisted), with a thread for each core.</summary>
internal sealed class Kea(Wire wire, string configuration, string control)
    : Peer(new Address(0, "", 0), new UnixDomainSocketEndPoint(control), "ip", wire.InServers("kea-dhcp4", "-c", configuration))
{
    public static Kea Start(Bench bench, Wire wire, string pool)
    {
        var folder = Directory.CreateDirectory(bench.NewFile($"kea-{Guid.NewGuid():N}")).FullName;
        // Kea's own words for where it keeps what it writes while it runs.
        Environment.SetEnvironmentVariable("KEA_PIDFILE_DIR", folder);
        Environment.SetEnvironmentVariable("KEA_LOCKFILE_DIR", folder);
        // A socket's path has room for 107 characters.
        var control = Path.Combine(Path.GetTempPath(), $"kea-{Guid.NewGuid():N}");
        File.WriteAllText(Path.Combine(folder, "kea.json"), $$$"""
            {"Dhcp4": {"interfaces-config": {"interfaces": ["{{{Wire.Link}}}"], "dhcp-socket-type": "udp"}, "valid-lifetime": 3600,
             "control-socket": {"socket-type": "unix", "socket-name": "{{{control}}}"},
             "lease-database": {"type": "memfile", "persist": true, "name": "{{{folder}}}/leases.csv", "lfc-interval": 0},
             "multi-threading": {"enable-multi-threading": true, "thread-pool-size": 2, "packet-queue-size": 64},
             "subnet4": [{"subnet": "10.64.0.0/12", "interface": "{{{Wire.Link}}}", "pools": [{"pool": "{{{pool}}}"}]}],
             "loggers": [{"name": "kea-dhcp4", "severity": "ERROR", "output_options": [{"output": "stderr"}]}]}}
            """);
        return new Kea(wire, Path.Combine(folder, "kea.json"), control);
    }

    public override void Dispose()
    {
        base.Dispose();
        File.Delete(control);
        File.Delete(control + ".lock");
    }
}
