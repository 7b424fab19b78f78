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
    public async Task OVMF_waits_once_at_a_menu_for_longer_than_its_lease_and_boots_the_kernel_in_its_volume()
    {
        var parts = await PrepareAsync("ovmf");
        using var server = await ServeAsync(parts, "local");
        var state = Path.Combine(_folder.Path, "state");
        Assert.Contains("its next boot is choice, then local again", Tool.Run(Demo.Program, "machine", "boot-once", "node-1", "choice", "--state", state).Output, StringComparison.Ordinal);
        var variables = Path.Combine(_folder.Path, "variables.fd");
        File.Copy("/usr/share/OVMF/OVMF_VARS_4M.fd", variables);
        var command = new QemuCommand(DemoFirmware.Named("ovmf"), DemoSite.Mac, GuestNetwork.Tap, "/usr/share/OVMF/OVMF_CODE_4M.fd", variables, BootMedia: null);
        using var machine = _network.Start([command.Program, .. command.Arguments]);
        server.WaitFor("shows the menu choice: sanboot, kernel, local; kernel after 15 s", Boot);
        Assert.DoesNotContain("next boot", Tool.Run(Demo.Program, "machine", "show", "node-1", "--state", state).Output, StringComparison.Ordinal);
        server.WaitFor("told to the kernel by iBFT", Boot);
        await AssertUpAsync(server, machine);
        Assert.DoesNotContain(server.Lines, l => l.Contains("STALLED", StringComparison.Ordinal) || l.Contains("/EFI/BOOT/", StringComparison.Ordinal));
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
        server.WaitFor("the operating system is logged in with mutual CHAP", Boot);
        server.WaitFor("node-1 says that it is up", Boot);
        Assert.Equal(0, await machine.EndAsync(Boot));
        server.Signal("TERM");
        Assert.Equal(0, await server.EndAsync(TimeSpan.FromMinutes(1)));
    }
}
