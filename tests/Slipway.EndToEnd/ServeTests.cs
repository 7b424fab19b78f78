using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;
using Slipway.Demo;
using Slipway.Demo.Machine;
using Slipway.Server.Tests;
using Slipway.Server.Tests.Net;

namespace Slipway.EndToEnd;

/// <summary>
/// A stranger follows the README to a network of their own: its <c>slipway.yaml</c>, <c>slipway serve</c>, iPXE with the
/// site's authority and the machine's own certificate on boot media, and a U-Boot that starts from them.
/// </summary>
public sealed partial class ServeTests
{
    private static readonly TimeSpan Boot = TimeSpan.FromMinutes(4);

    [Fact]
    public async Task The_READMEs_site_boots_a_machine()
    {
        using var folder = new TemporaryFolder();
        // The demo brings the parts, and a disk that a machine can boot from.
        var parts = await Demo.PrepareAsync(folder, "uboot-x86_64");
        var (image, ipxe, uboot) = (parts.Part("disk"), parts.Part("ipxe"), parts.Part("u-boot"));

        using var network = GuestNetwork.Create("serve", "eth1", "10.77.0.1/24");

        var state = Path.Combine(folder.Path, "state");
        Tool.Run(Demo.Program, "image", "import", image, "--name", "debian-12", "--state", state);
        Tool.Run(Demo.Program, "volume", "create", "--image", "debian-12", "--for", "node-1", "--state", state);
        var site = Path.Combine(folder.Path, "slipway.yaml");
        var text = ReadmeSite().Replace("/var/lib/slipway", state)
            .Replace("    volume: ", "    client-certificate: required\n    volume: ") + "https:\n  client-certificates: optional\n";
        await File.WriteAllTextAsync(site, text);

        using var server = network.Start(Demo.Program, "serve", "-c", site);
        server.WaitFor("serving network boot");
        using var follow = new BackgroundTool(Demo.Program, "boot", "follow", "node-1", "--state", state);
        using var json = new BackgroundTool(Demo.Program, "boot", "follow", "--json", "--state", state);
        var (trusting, media) = (Path.Combine(folder.Path, "ipxe.efi"), Path.Combine(folder.Path, "media.img"));
        Tool.Run(Demo.Program, "firmware", "trust", "--no-sleep", Path.Combine(ipxe, "ipxe-amd64.efi"), trusting, "--ca", Path.Combine(state, "ca.pem"));
        Tool.Run(Demo.Program, "firmware", "media", media, "--ipxe", trusting, "--server", "https://10.77.0.1/", "--machine", "node-1", "--state", state);

        var command = new QemuCommand(
            DemoFirmware.Named("uboot-x86_64"), DemoSite.Mac, GuestNetwork.Tap, Path.Combine(uboot, "qemu-x86_64", "u-boot.rom"), Variables: null, media);
        using var machine = network.Start([command.Program, .. command.Arguments]);
        server.WaitFor("it showed its certificate", Boot);
        server.WaitFor("node-1 says that it is up", Boot);
        Assert.Equal(0, await machine.EndAsync(Boot));
        follow.WaitFor("node-1 says that it is up");
        var shown = Tool.Run(Demo.Program, "boot", "show", "node-1", "--state", state).Output;

        server.Signal("TERM");
        Assert.Equal(0, await server.EndAsync(TimeSpan.FromMinutes(1)));
        Assert.Equal((1, 1), (await follow.EndAsync(Boot), await json.EndAsync(Boot)));
        CheckTimeline(follow.Lines, json.Lines, shown);
    }

    /// <summary>Guests of a server that starts again wait for their disks; here its iPXE is a pipe into which nobody has written.</summary>
    [Fact]
    public async Task Disks_are_served_while_iPXE_is_still_being_made()
    {
        using var folder = new TemporaryFolder();
        using var network = GuestNetwork.Create("start", "eth1", "10.77.0.1/24");
        var (pipe, site) = (Path.Combine(folder.Path, "ipxe-amd64.efi"), await EmptySiteAsync(folder));
        Tool.Run("mkfifo", pipe);

        using var server = network.Start(Demo.Program, "serve", "-c", site);
        // It opens when the server does.
        await using (await Task.Run(() => new FileStream(pipe, FileMode.Open, FileAccess.Write, FileShare.ReadWrite)).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken))
        {
            network.Run(() => new TcpClient("10.77.0.1", 3260)).Dispose();
            Assert.DoesNotContain(server.Lines, line => line.Contains("serving network", StringComparison.Ordinal));
        }
        server.WaitFor($"not served by TFTP: {pipe}");
        server.WaitFor("serving network boot");
    }

    [Fact]
    public async Task A_port_that_is_taken_is_told_in_one_line()
    {
        using var folder = new TemporaryFolder();
        using var network = GuestNetwork.Create("taken", "eth1", "10.77.0.1/24");
        using var other = network.Run(() =>
        {
            var listener = new TcpListener(IPAddress.Parse("10.77.0.1"), 443);
            listener.Start();
            return listener;
        });

        var refused = network.Execute(Demo.Program, "serve", "-c", await EmptySiteAsync(folder));
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("10.77.0.1:443: address already in use. Another program has the port", refused.Errors, StringComparison.Ordinal);
        // What frameworks log of it has stack traces.
        Assert.DoesNotContain("   at ", refused.All, StringComparison.Ordinal);
    }

    private static async Task<string> EmptySiteAsync(TemporaryFolder folder)
    {
        var site = Path.Combine(folder.Path, "slipway.yaml");
        await File.WriteAllTextAsync(site, $$"""
            name: lab
            state: {{folder.Path}}/state
            ipxe: {{folder.Path}}
            networks: [{ name: boot, interface: eth1, address: 10.77.0.1/24, pool: 10.77.0.100-10.77.0.200 }]
            """, TestContext.Current.CancellationToken);
        return site;
    }

    /// <summary>What an operator saw of this boot: every stage, each with its evidence, in the order of the chain.</summary>
    private static void CheckTimeline(IReadOnlyList<string> followed, IReadOnlyList<string> json, string shown)
    {
        string[] expected =
        [
            @"^node-1            boots at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$",
            @"dhcp       iPXE \(X64Uefi\) has 10\.77\.0\.\d+ for 12:00:00, boots https://10\.77\.0\.1/boot/52-54-00-77-00-01$",
            @"script     is connected by TLS 1\.[23], TLS_\w+$",
            @"script     has its script: disk iqn\.\S+:node-1 at 10\.77\.0\.1:3260, told to the kernel by kernel arguments; it showed its certificate [0-9A-F]+$",
            @"san-login  iPXE is logged in with mutual CHAP MD5 as iqn\.\S+:node-1:initiator$",
            @"partition  reads partition table$",
            @"loader     reads partition 1 \(demo boot\): /EFI/BOOT/BOOTX64\.EFI$",
            @"loader     reads partition 1 \(demo boot\): /grub\.cfg$",
            @"kernel     reads partition 1 \(demo boot\): /vmlinuz$",
            @"kernel     reads partition 1 \(demo boot\): /initrd\.img$",
            @"os-login   the operating system is logged in with mutual CHAP \S+ as iqn\.\S+:node-1:initiator$",
            @"root       reads partition 2 \(ext4\)",
            @"root       says: demo: the root file system is written to$",
            @"up         node-1 says that it is up$",
            @"^slipway: the server stopped$",
        ];
        var lines = new Queue<string>(followed);
        foreach (var pattern in expected)
        {
            while (lines.Count > 0 && !Regex.IsMatch(lines.Peek(), pattern))
                lines.Dequeue();
            Assert.True(lines.Count > 0, $"{pattern} does not come where it should in:\n{string.Join('\n', followed)}");
        }
        Assert.All(followed, line => Assert.StartsWith(line.StartsWith("slipway", StringComparison.Ordinal) ? "slipway: the server stopped" : "node-1  ", line, StringComparison.Ordinal));

        Assert.Matches(@"^node-1 \(52:54:00:77:00:01\), since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d: up\n", shown);
        Assert.Contains("root       says: demo: the root file system is written to", shown, StringComparison.Ordinal);

        var objects = json.Where(line => line.StartsWith('{')).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        // Why it ended is on the error stream.
        Assert.Equal("the server stopped", Text(Assert.Single(objects, o => o.TryGetProperty("error", out _)), "error"));
        var events = objects.Where(o => o.TryGetProperty("boot", out _)).ToList();
        var elapsed = events.Select(e => e.GetProperty("elapsed").GetDouble()).ToList();
        Assert.Equal(elapsed.Order(), elapsed);
        Assert.Single(events.Select(e => e.GetProperty("boot").GetString()).Distinct());
        var message = Assert.Single(events, e => e.GetProperty("kind").GetString() == "message");
        Assert.Equal(("root", "notice", "demo"), (Text(message, "stage"), Text(message.GetProperty("facts"), "severity"), Text(message.GetProperty("facts"), "app")));
        Assert.Contains(events, e => Text(e, "kind") == "entered" && Text(e, "stage") == "kernel" && Text(e.GetProperty("facts"), "file") == "/vmlinuz");

        static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();
    }

    private static string ReadmeSite()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "README.md")))
            folder = Path.GetDirectoryName(folder)!;
        return YamlBlock().Match(File.ReadAllText(Path.Combine(folder, "README.md"))).Groups["yaml"].Value;
    }

    [GeneratedRegex("```yaml\n(?<yaml>.*?)```", RegexOptions.Singleline)]
    private static partial Regex YamlBlock();
}
