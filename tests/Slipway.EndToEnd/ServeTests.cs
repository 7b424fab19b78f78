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
        var parts = await Demo.RunAsync(folder, "uboot-x86_64", "--prepare");
        Assert.True(parts.Status == 0, parts.Output);
        var (image, ipxe, uboot) = (parts.Part("disk"), parts.Part("ipxe"), parts.Part("u-boot"));

        using var network = GuestNetwork.Create("serve", "eth1", "10.77.0.1/24");

        var volume = Path.Combine(folder.Path, "node-1.raw");
        File.Copy(image, volume);
        var state = Path.Combine(folder.Path, "state");
        var site = Path.Combine(folder.Path, "slipway.yaml");
        var text = ReadmeSite().Replace("/srv/slipway/node-1.qcow2", volume).Replace("/var/lib/slipway", state)
            .Replace("    volume: ", "    client-certificate: required\n    volume: ") + "https:\n  client-certificates: optional\n";
        await File.WriteAllTextAsync(site, text);

        using var server = network.Start(Demo.Program, "serve", "-c", site);
        server.WaitFor("serving network boot");
        var (trusting, media) = (Path.Combine(folder.Path, "ipxe.efi"), Path.Combine(folder.Path, "media.img"));
        Tool.Run(Demo.Program, "firmware", "trust", "--no-sleep", Path.Combine(ipxe, "ipxe-amd64.efi"), trusting, "--ca", Path.Combine(state, "ca.pem"));
        Tool.Run(Demo.Program, "firmware", "media", media, "--ipxe", trusting, "--server", "https://10.77.0.1/", "--machine", "node-1", "--state", state);

        var command = new QemuCommand(
            DemoFirmware.Named("uboot-x86_64"), DemoSite.Mac, GuestNetwork.Tap, Path.Combine(uboot, "qemu-x86_64", "u-boot.rom"), Variables: null, media);
        using var machine = network.Start([command.Program, .. command.Arguments]);
        server.WaitFor("it showed its certificate", Boot);
        server.WaitFor("node-1 says that it is up", Boot);
        Assert.Equal(0, await machine.EndAsync(Boot));

        server.Signal("TERM");
        Assert.Equal(0, await server.EndAsync(TimeSpan.FromMinutes(1)));
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
