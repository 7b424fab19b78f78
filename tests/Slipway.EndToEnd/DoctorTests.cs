using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Slipway.Server.Tests;
using Slipway.Server.Tests.Net;

namespace Slipway.EndToEnd;

/// <summary><c>slipway doctor</c> on a host where all is well, with the server and without, and on one where much is wrong.</summary>
public sealed class DoctorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly NetworkNamespace _network = GuestNetwork.Create("doctor", "eth1", "10.77.0.1/24");

    private string State => Path.Combine(_folder.Path, "state");

    public void Dispose()
    {
        _network.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_good_host_has_no_failures_and_a_damaged_image_is_found()
    {
        var disk = Path.Combine(_folder.Path, "disk.raw");
        await File.WriteAllBytesAsync(disk, [.. Enumerable.Repeat((byte)7, 1 << 20)], TestContext.Current.CancellationToken);
        Tool.Run(Demo.Program, "image", "import", disk, "--name", "golden", "--state", State);
        Tool.Run(Demo.Program, "volume", "create", "node-1", "--image", "golden", "--state", State);
        Tool.Run(Demo.Program, "volume", "create", "spare", "--image", "golden", "--state", State);
        var site = Site("eth1", "10.77.0.1/24");

        var before = Doctor(site, "--full");
        Assert.DoesNotContain(before.Findings, f => f.Health == "failure");
        Assert.Equal(0, before.Status);
        Assert.Contains(before.Findings, f => f is { Subject: "port 3260/tcp", Text: "free for iSCSI on 10.77.0.1" });
        Assert.Contains(before.Findings, f => f is { Subject: "image golden@1", Text: "is what was imported" });

        using (var server = _network.Start(Demo.Program, "serve", "-c", site))
        {
            server.WaitFor("serving network boot");
            var running = Doctor(site);
            Assert.DoesNotContain(running.Findings, f => f.Health == "failure");
            Assert.Contains(running.Findings, f => f.Subject == "port 67/udp" && f.Text.Contains("is served by slipway", StringComparison.Ordinal));
        }

        Assert.Contains(before.Findings, f => f is { Subject: "volumes", Health: "ok", Text: "2 can be opened, with what they stand on" });
        await using (var image = File.OpenWrite(Path.Combine(State, "images", "golden@1.raw")))
            image.WriteByte(8);
        // The first entry of the L1 table leads out of the file.
        var spare = Path.Combine(State, "volumes", "spare.qcow2");
        var table = L1OffsetOf(spare);
        await using (var volume = File.OpenWrite(spare))
        {
            volume.Position = table;
            volume.Write([0x80, 0, 0x7f, 0, 0, 0, 0, 0]);
        }
        var damaged = Doctor(site, "--full");
        Assert.Equal(1, damaged.Status);
        Assert.Contains(damaged.Findings, f => f is { Subject: "image golden@1", Health: "failure" } && f.Text.EndsWith("has changed at byte 0", StringComparison.Ordinal));
        Assert.Contains(damaged.Findings, f => f is { Subject: "volume spare", Health: "failure" } && f.Text.Contains("L1 entry 0 leads to ", StringComparison.Ordinal));
        Assert.Contains(damaged.Findings, f => f is { Subject: "volumes", Text: "1 can be opened, with what they stand on" });

        File.Delete(Path.Combine(State, "images", "golden@1.raw"));
        Assert.Contains(Doctor(site).Findings, f => f is { Subject: "volume node-1", Health: "failure" } && f.Text.EndsWith("golden@1.raw is not there", StringComparison.Ordinal));
    }

    // "l1_table_offset" of a qcow2 header, big-endian.
    private static long L1OffsetOf(string image)
    {
        var header = new byte[48];
        using var file = File.OpenRead(image);
        file.ReadExactly(header);
        return BinaryPrimitives.ReadInt64BigEndian(header.AsSpan(40));
    }

    [Fact]
    public void What_is_wrong_is_named_with_what_to_do()
    {
        using var other = new NetworkNamespace("others-dhcp");
        NetworkNamespace.Connect(_network, other, "eth2", "52:54:00:77:00:02");
        _network.Ip("addr", "add", "10.78.0.1/24", "dev", "eth2");
        other.Ip("addr", "add", "10.78.0.2/24", "dev", "eth2");
        using var dnsmasq = other.Start("dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--interface=eth2",
            "--dhcp-range=10.78.0.100,10.78.0.200", "--dhcp-leasefile=" + Path.Combine(_folder.Path, "leases"), "--pid-file");
        dnsmasq.WaitFor("DHCP, IP range");
        using var syslog = _network.Run(() =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(IPAddress.Any, 514));
            return socket;
        });
        using var holder = _network.Start("dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--port=443", "--listen-address=10.78.0.1", "--bind-interfaces", "--pid-file");
        holder.WaitFor("started");

        var found = Doctor(Site("eth2", "10.78.0.1/16", volume: "nowhere"));

        Assert.Equal(1, found.Status);
        Assert.Contains(found.Findings, f => f is { Subject: "DHCP on eth2", Health: "failure" } && f.Text.StartsWith("10.78.0.2 answers, too", StringComparison.Ordinal));
        Assert.Contains(found.Findings, f => f is { Subject: "port 443/tcp", Health: "failure" } && f.Text.StartsWith("dnsmasq (process ", StringComparison.Ordinal));
        Assert.Contains(found.Findings, f => f is { Subject: "port 514/udp", Health: "failure" } && f.Advice!.EndsWith("or write another port, or off, as syslog: of the network (slipway explain SLP2002)", StringComparison.Ordinal));
        Assert.Contains(found.Findings, f => f is { Subject: "network boot", Health: "warning" } && f.Text.Contains("10.78.0.1/24", StringComparison.Ordinal));
        Assert.Contains(found.Findings, f => f is { Subject: "machine node-1", Health: "failure", Advice: "slipway volume create nowhere --image NAME" });
        Assert.Contains(Doctor(Site("eth9", "10.79.0.1/24")).Findings, f => f is { Subject: "network boot", Health: "failure", Text: "there is no interface eth9" });
    }

    [Fact]
    public async Task State_that_keeps_the_server_from_starting_is_named_by_both_with_the_same_advice()
    {
        var site = Site("eth1", "10.77.0.1/24", Path.Combine(_folder.Path, "disk.raw"));
        await File.WriteAllBytesAsync(Path.Combine(_folder.Path, "disk.raw"), new byte[1 << 20], TestContext.Current.CancellationToken);
        using (var server = _network.Start(Demo.Program, "serve", "-c", site))
        {
            server.WaitFor("serving network boot");
            // Orderly: what a killed server leaves in SQLite's log could stand in for the file.
            server.Signal("TERM");
            Assert.Equal(0, await server.EndAsync(TimeSpan.FromMinutes(1)));
        }
        Break("leases.db", "leases.db cannot be ", "database");
        Break("slipway.db", "slipway.db cannot be ", "database");
        Break("ca.key", "cannot be read, or do not belong together", "authority");

        void Break(string file, string told, string subject)
        {
            var path = Path.Combine(State, file);
            var whole = File.ReadAllBytes(path);
            File.WriteAllText(path, new string('x', 5000));
            var found = Assert.Single(Doctor(site).Findings, f => f.Subject == subject && f.Health == "failure");
            Assert.Contains(told, found.Text, StringComparison.Ordinal);
            var refused = _network.Execute(Demo.Program, "serve", "-c", site);
            Assert.Equal(2, refused.ExitCode);
            Assert.Contains(told, refused.All, StringComparison.Ordinal);
            if (subject != "database" || file == "leases.db")
                Assert.Contains(found.Advice!, refused.All, StringComparison.Ordinal);
            File.WriteAllBytes(path, whole);
        }
    }

    private sealed record Finding(string Subject, string Health, string Text, string? Advice);

    private (int Status, List<Finding> Findings) Doctor(string site, params string[] options)
    {
        var result = _network.Execute([Demo.Program, "doctor", "-c", site, "--json", .. options]);
        Assert.True(result.Output.StartsWith('['), result.All);
        return (result.ExitCode, JsonSerializer.Deserialize<List<Finding>>(result.Output, JsonSerializerOptions.Web)!);
    }

    private string Site(string card, string address, string volume = "node-1")
    {
        var path = Path.Combine(_folder.Path, card + ".yaml");
        File.WriteAllText(path, $"""
            name: lab
            state: {State}
            networks:
              - name: boot
                interface: {card}
                address: {address}
                pool: {address[..address.LastIndexOf('.')]}.100-{address[..address.LastIndexOf('.')]}.200
            machines:
              - name: node-1
                mac: 52:54:00:77:00:01
                volume: {volume}
            """);
        return path;
    }
}
