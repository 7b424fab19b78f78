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
        var parts = await Demo.PrepareAsync(_folder, "ovmf");
        using var server = Serve(parts, "local");
        var state = Path.Combine(_folder.Path, "state");
        Assert.Contains("its next boot is choice, then local again", Tool.Run(Demo.Program, "machine", "boot-once", "node-1", "choice", "--state", state).Output, StringComparison.Ordinal);
        var command = GuestNetwork.Ovmf(_folder);
        using var machine = _network.Start([command.Program, .. command.Arguments]);
        server.WaitFor("shows the menu choice: sanboot, kernel, local; kernel after 15 s", Boot);
        Assert.DoesNotContain("next boot", Tool.Run(Demo.Program, "machine", "show", "node-1", "--state", state).Output, StringComparison.Ordinal);
        server.WaitFor("told to the kernel by iBFT", Boot);
        await AssertUpAsync(server, machine);
        Assert.DoesNotContain(server.Lines, l => l.Contains("STALLED", StringComparison.Ordinal) || l.Contains("/EFI/BOOT/", StringComparison.Ordinal));
    }

    /// <summary>iPXE hands the kernel all that it has loaded as its RAM disk; here that includes U-Boot's bootargs.</summary>
    [Fact]
    public async Task UBoot_boots_the_kernel_in_its_volume()
    {
        var parts = await Demo.PrepareAsync(_folder, "uboot-x86_64");
        using var server = Serve(parts, "kernel");
        var (ipxe, media) = (Path.Combine(_folder.Path, "ipxe.efi"), Path.Combine(_folder.Path, "media.img"));
        Tool.Run(Demo.Program, "firmware", "trust", "--no-sleep", Path.Combine(parts.Part("ipxe"), "ipxe-amd64.efi"), ipxe, "--ca", Path.Combine(_folder.Path, "state", "ca.pem"));
        Tool.Run(Demo.Program, "firmware", "media", media, "--ipxe", ipxe, "--server", "https://10.77.0.1/");
        var command = new QemuCommand(
            DemoFirmware.Named("uboot-x86_64"), DemoSite.Mac, GuestNetwork.Tap, Path.Combine(parts.Part("u-boot"), "qemu-x86_64", "u-boot.rom"), Variables: null, media);
        using var machine = _network.Start([command.Program, .. command.Arguments]);
        server.WaitFor("told to the kernel by kernel arguments", Boot);
        await AssertUpAsync(server, machine);
    }

    [Theory]
    [InlineData("ovmf")]
    [InlineData("seabios")]
    public async Task A_machine_runs_the_operators_script_once_and_then_boots_its_own_disk(string firmware)
    {
        var parts = await Demo.PrepareAsync(_folder, firmware);
        using var server = Serve(parts, "local");
        Tool.Run(Demo.Program, "machine", "boot-once", "node-1", "own", "--state", Path.Combine(_folder.Path, "state"));
        var (script, disk) = (Path.Combine(_folder.Path, "installed.ipxe"), Path.Combine(_folder.Path, "installed.img"));
        await File.WriteAllTextAsync(script, "#!ipxe\necho this is the disk in the machine, started\npoweroff\n");
        Tool.Run(Demo.Program, "firmware", "media", disk, "--ipxe", Path.Combine(parts.Part("ipxe"), "ipxe-amd64.efi"), Path.Combine(parts.Part("ipxe"), "ipxe.lkrn"),
            "--script", script, "--grub", parts.Part("grub-bios"));
        var command = firmware == "ovmf" ? GuestNetwork.Ovmf(_folder) : GuestNetwork.SeaBios();
        using var machine = _network.Start([command.Program, .. command.Arguments,
            "-drive", $"if=none,id=d0,format=raw,file={disk}", "-device", "virtio-blk-pci,drive=d0,bootindex=1"]);
        server.WaitFor("has its script (own)", Boot);
        server.WaitFor("iPXE is logged in with mutual CHAP", Boot);
        machine.WaitFor("own script: node-1 ibft https://10.77.0.1/", Boot);
        server.WaitFor("has its script: it boots what is in it", Boot);
        machine.WaitFor("this is the disk in the machine", Boot);
        Assert.Equal(0, await machine.EndAsync(Boot));
    }

    private BackgroundTool Serve(Demo parts, string profile) =>
        GuestNetwork.Serve(_network, _folder, parts, "pool: 10.77.0.100-10.77.0.200, lease-time: 10s, probe: false", machine: $", profile: {profile}", more: """
            profiles:
              - { name: kernel, kind: direct }
              - name: own
                kind: script
                script: |
                  #!ipxe
                  sanhook ${slipway-disk}
                  echo own script: ${slipway-machine} ${slipway-firmware} ${slipway-server}
                  sanunhook
                  chain --replace ${slipway-server}boot/${mac:hexhyp}
              - { name: choice, kind: menu, title: What shall it be, entries: [sanboot, kernel, local], default: kernel, timeout: 15s }
            """);

    private static async Task AssertUpAsync(BackgroundTool server, BackgroundTool machine)
    {
        server.WaitFor("fetches /vmlinuz of its volume", Boot);
        server.WaitFor("fetches /initrd.img of its volume", Boot);
        server.WaitFor("the operating system is logged in with mutual CHAP", Boot);
        await GuestNetwork.AssertUpAsync(server, machine, Boot);
    }
}
