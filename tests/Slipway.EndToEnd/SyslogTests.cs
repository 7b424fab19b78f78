using Slipway.Server.Tests;
using Slipway.Server.Tests.Net;

namespace Slipway.EndToEnd;

/// <summary>A machine's own syslog programs, by IPv6 to <c>slipway serve</c>.</summary>
public sealed class SyslogTests : IDisposable
{
    private const string Link = "eth1", Mac = "52:54:00:77:00:01", Server = "fd00:77::1", Leased = "fd00:77::1000";

    private readonly TemporaryFolder _folder = new();
    private readonly NetworkNamespace _servers = new("syslog"), _machines = new("node");

    public SyslogTests()
    {
        NetworkNamespace.Connect(_servers, _machines, Link, Mac);
        _servers.Ip("addr", "add", "10.77.0.1/24", "dev", Link);
        _servers.Ip("addr", "add", $"{Server}/64", "dev", Link, "nodad");
        // Those that the kernel makes are there after a while only.
        foreach (var (side, address) in new[] { (_servers, "fe80::1/64"), (_machines, "fe80::5054:ff:fe77:1/64") })
        {
            side.Ip("link", "set", Link, "addrgenmode", "none");
            side.Ip("addr", "flush", "dev", Link, "scope", "link");
            side.Ip("addr", "add", address, "dev", Link, "nodad");
        }
    }

    public void Dispose()
    {
        _machines.Dispose();
        _servers.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Who_has_an_address_by_DHCPv6_is_known_by_it()
    {
        var (state, volume) = (Path.Combine(_folder.Path, "state"), Path.Combine(_folder.Path, "node-1.raw"));
        await File.WriteAllBytesAsync(volume, new byte[1 << 20], TestContext.Current.CancellationToken);
        var site = Path.Combine(_folder.Path, "slipway.yaml");
        await File.WriteAllTextAsync(site, $$"""
            name: lab
            state: {{state}}
            networks:
              - name: boot
                interface: {{Link}}
                address: 10.77.0.1/24
                pool: 10.77.0.100-10.77.0.200
                probe: false
                ipv6: { address: "{{Server}}/64", pool: "{{Leased}}-fd00:77::1fff" }
            machines:
              - { name: node-1, mac: "{{Mac}}", volume: {{volume}} }
            """, TestContext.Current.CancellationToken);
        using var server = _servers.Start(Demo.Program, "serve", "-c", site);
        server.WaitFor("serving network boot");

        // A boot begins, as iPXE begins it; then the system asks for its address.
        Run("udhcpc", "-i", Link, "-n", "-q", "-f", "-s", "/bin/true", "-V", "PXEClient:Arch:00007:UNDI:003010", "-x", "0x5d:0007", "-x", "0x4d:69505845");
        var take = _folder.Script("take", $"[ -z \"$new_ip6_address\" ] || {{ ip addr add $new_ip6_address/64 dev {Link} nodad; echo address taken; }}");
        using (var dhclient = _machines.Start("dhclient", "-6", "-d", "-1", "-v", "-lf", Path.Combine(_folder.Path, "leases"), "-pf", Path.Combine(_folder.Path, "pid"), "-sf", take, Link))
            dhclient.WaitFor("address taken");
        Run("ip", "addr", "show", "to", Leased);

        Run("logger", "-d", "-n", Server, "-P", "514", "-t", "initramfs", "-p", "daemon.err", "no disk: giving up");
        server.WaitFor("says (err): initramfs: no disk: giving up");
        // Its socket, /dev/log, is not this machine's.
        var box = Path.Combine(_folder.Path, "dev");
        Directory.CreateDirectory(box);
        using var syslogd = _machines.Start("unshare", "--mount", "sh", "-c", $"mount -t tmpfs none /dev && mknod /dev/null c 1 3 && busybox syslogd -n -R [{Server}]:514 & " +
            "until [ -S /dev/log ]; do sleep 0.1; done; busybox logger -t node -p user.notice 'is at work'; wait");
        server.WaitFor("says: node: is at work");

        var shown = Tool.Run(Demo.Program, "boot", "show", "node-1", "--state", state).Output;
        Assert.Contains("says (err): initramfs: no disk: giving up", shown, StringComparison.Ordinal);
        Assert.Contains("says: node: is at work", shown, StringComparison.Ordinal);
        server.Signal("TERM");
        Assert.Equal(0, await server.EndAsync(TimeSpan.FromMinutes(1)));

        void Run(params string[] command)
        {
            var result = _machines.Execute(command);
            Assert.True(result.ExitCode == 0 && (command[0] != "ip" || result.Output.Contains(Leased, StringComparison.Ordinal)), $"{string.Join(' ', command)}: {result.All}\n{string.Join('\n', server.Lines)}");
        }
    }
}
