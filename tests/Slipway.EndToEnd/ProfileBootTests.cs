using Slipway.Demo;
using Slipway.Demo.Machine;
using Slipway.Server.Tests;
using Slipway.Server.Tests.Net;

namespace Slipway.EndToEnd;

/// <summary>Profiles other than sanboot, with real firmware, iPXE and Linux, as far as a running system with its root on iSCSI.</summary>
public sealed class ProfileBootTests : IDisposable
{
    private static readonly TimeSpan Boot = TimeSpan.FromMinutes(4);

    private readonly TemporaryFolder _folder = new();
    private readonly NetworkNamespace _network = GuestNetwork.Create("profile", "eth1", "10.77.0.1/24");

    public void Dispose()
    {
        _network.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task OVMF_waits_at_a_menu_for_longer_than_its_lease_and_boots_the_kernel_in_its_volume()
    {
        var parts = await PrepareAsync("ovmf");
        using var server = await ServeAsync(parts, "choice");
        var variables = Path.Combine(_folder.Path, "variables.fd");
        File.Copy("/usr/share/OVMF/OVMF_VARS_4M.fd", variables);
        var command = new QemuCommand(DemoFirmware.Named("ovmf"), DemoSite.Mac, GuestNetwork.Tap, "/usr/share/OVMF/OVMF_CODE_4M.fd", variables, BootMedia: null);
        using var machine = _network.Start([command.Program, .. command.Arguments]);
        server.WaitFor("shows the menu choice: sanboot, kernel, local; kernel after 15 s", Boot);
        server.WaitFor("told to the kernel by iBFT", Boot);
        await AssertUpAsync(server, machine);
        Assert.DoesNotContain(server.Lines, l => l.Contains("STALLED", StringComparison.Ordinal) || l.Contains("/EFI/BOOT/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task U_Boot_boots_the_kernel_in_its_volume_once()
    {
        var parts = await PrepareAsync("uboot-x86_64");
        using var server = await ServeAsync(parts, "local");
        var state = Path.Combine(_folder.Path, "state");
        Tool.Run(Demo.Program, "machine", "boot-once", "node-1", "kernel", "--state", state);
        Assert.Contains("next boot:        kernel", Tool.Run(Demo.Program, "machine", "show", "node-1", "--state", state).Output, StringComparison.Ordinal);
        var (trusting, media) = (Path.Combine(_folder.Path, "ipxe.efi"), Path.Combine(_folder.Path, "media.img"));
        Tool.Run(Demo.Program, "firmware", "trust", "--no-sleep", Path.Combine(parts.Part("ipxe"), "ipxe-amd64.efi"), trusting, "--ca", Path.Combine(state, "ca.pem"));
        Tool.Run(Demo.Program, "firmware", "media", media, "--ipxe", trusting, "--server", "https://10.77.0.1/");
        var command = new QemuCommand(
            DemoFirmware.Named("uboot-x86_64"), DemoSite.Mac, GuestNetwork.Tap, Path.Combine(parts.Part("u-boot"), "qemu-x86_64", "u-boot.rom"), Variables: null, media);
        using var machine = _network.Start([command.Program, .. command.Arguments]);
        server.WaitFor("told to the kernel by kernel arguments", Boot);
        Assert.DoesNotContain("next boot", Tool.Run(Demo.Program, "machine", "show", "node-1", "--state", state).Output, StringComparison.Ordinal);
        await AssertUpAsync(server, machine);
        Assert.DoesNotContain(server.Lines, l => l.Contains("iPXE is logged in", StringComparison.Ordinal));
    }

    private async Task<Demo> PrepareAsync(string firmware)
    {
        var parts = await Demo.RunAsync(_folder, firmware, "--prepare");
        Assert.True(parts.Status == 0, parts.Output);
        return parts;
    }

    private async Task<BackgroundTool> ServeAsync(Demo parts, string profile)
    {
        var volume = Path.Combine(_folder.Path, "node-1.raw");
        File.Copy(parts.Part("disk"), volume);
        var site = Path.Combine(_folder.Path, "slipway.yaml");
        await File.WriteAllTextAsync(site, $$"""
            name: lab
            state: {{_folder.Path}}/state
            ipxe: {{parts.Part("ipxe")}}
            networks:
              - { name: boot, interface: eth1, address: 10.77.0.1/24, pool: 10.77.0.100-10.77.0.200, lease-time: 10s, probe: false }
            machines:
              - { name: node-1, mac: "{{DemoSite.Mac}}", volume: {{volume}}, profile: {{profile}} }
            profiles:
              - { name: kernel, kind: direct }
              - { name: choice, kind: menu, title: What shall it be, entries: [sanboot, kernel, local], default: kernel, timeout: 15s }
            """);
        var server = _network.Start(Demo.Program, "serve", "-c", site);
        server.WaitFor("serving network boot");
        return server;
    }

    private static async Task AssertUpAsync(BackgroundTool server, BackgroundTool machine)
    {
        server.WaitFor("fetches /vmlinuz of its volume", Boot);
        server.WaitFor("fetches /initrd.img of its volume", Boot);
        try { server.WaitFor("the operating system is logged in with mutual CHAP", TimeSpan.FromSeconds(60)); } catch (TimeoutException) { File.WriteAllLines("/tmp/fleetlogs/console.txt", machine.Lines); throw; }
        server.WaitFor("node-1 says that it is up", Boot);
        Assert.Equal(0, await machine.EndAsync(Boot));
        server.Signal("TERM");
        Assert.Equal(0, await server.EndAsync(TimeSpan.FromMinutes(1)));
    }
}
