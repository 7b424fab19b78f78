using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Slipway.Dhcp.Clients;
using Slipway.Dhcp.Networks;
using Slipway.Dhcp.Server;
using Slipway.Server.Tftp;
using Slipway.Tftp.Server;

namespace Slipway.Server.Tests.Dhcp;

/// <summary>Real firmware in QEMU, as far as the file it is told to boot.</summary>
public sealed class FirmwareTests : ITftpFiles, ITftpObserver
{
    private readonly EventLog<TftpEvent> _transfers = new();

    [Fact]
    public async Task OVMF_fetches_the_file_for_x64()
    {
        await using var site = DhcpSite.ForMachines();
        site.Start();
        await BootAsync(site, "ipxe-x64.efi", Ovmf);
        var ack = await site.WaitForAsync(DhcpEventKind.Acknowledged);
        Assert.Equal((ClientKind.Firmware, ClientArchitecture.X64Uefi), (ack.Client!.Kind, ack.Client.Architecture));
        Assert.NotNull(ack.Client.Uuid);
    }

    [Fact]
    public async Task IPXE_under_SeaBIOS_fetches_the_script()
    {
        await using var site = DhcpSite.ForMachines();
        site.Start();
        await BootAsync(site, "script.ipxe", _ => SeaBios);
        var ack = await site.WaitForAsync(DhcpEventKind.Acknowledged);
        Assert.Equal((ClientKind.Ipxe, ClientArchitecture.Bios), (ack.Client!.Kind, ack.Client.Architecture));
    }

    [Fact]
    public async Task OVMF_beside_dnsmasq_takes_the_address_from_it_and_the_file_from_the_proxy()
    {
        await using var site = DhcpSite.ForMachines(NetworkMode.Proxy);
        using var other = site.StartDnsmasq();
        site.Start();
        await BootAsync(site, "ipxe-x64.efi", Ovmf);
        Assert.DoesNotContain(site.Events, e => e.Kind is DhcpEventKind.Offered or DhcpEventKind.Acknowledged);
    }

    [Fact]
    public async Task IPXE_beside_dnsmasq_takes_the_address_from_it_and_the_script_from_the_proxy()
    {
        await using var site = DhcpSite.ForMachines(NetworkMode.Proxy);
        using var other = site.StartDnsmasq();
        site.Start();
        await BootAsync(site, "script.ipxe", _ => SeaBios);
    }

    private static string[] SeaBios => ["-machine", "pc", "-device", "virtio-net-pci,netdev=n0,mac=52:54:00:91:00:01,bootindex=0"];

    private static string[] Ovmf(TemporaryFolder folder)
    {
        var variables = Path.Combine(folder.Path, "vars.fd");
        File.Copy("/usr/share/OVMF/OVMF_VARS_4M.fd", variables);
        return
        [
            "-machine", "q35",
            "-drive", "if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd",
            "-drive", $"if=pflash,format=raw,unit=1,file={variables}",
            "-device", "virtio-net-pci,netdev=n0,mac=52:54:00:91:00:01,romfile=,bootindex=0",
            "-device", "virtio-rng-pci",
        ];
    }

    private async Task BootAsync(DhcpSite site, string file, Func<TemporaryFolder, string[]> machine)
    {
        await using var tftp = site.ServerSide.Run(() =>
        {
            var listener = new TftpListener(new IPEndPoint(IPAddress.Parse("10.91.0.1"), TftpServer.Port),
                new TftpServer(this, new TftpLimits(), TimeProvider.System, this), TimeProvider.System, NullLogger.Instance,
                () => site.ServerSide.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp)));
            listener.Start();
            return listener;
        });
        using var folder = new TemporaryFolder();
        using var qemu = site.ServerSide.Start(["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max,la57=off", "-m", "512", "-display", "none",
            "-monitor", "none", "-serial", "stdio", "-no-reboot", "-netdev", $"tap,id=n0,ifname={DhcpSite.Link},script=no,downscript=no", .. machine(folder)]);
        try
        {
            var done = await _transfers.WaitForAsync(e => e.Kind == TftpEventKind.Done, TimeSpan.FromSeconds(90));
            Assert.Equal(file, done.Name);
        }
        catch (TimeoutException)
        {
            Assert.Fail(string.Join('\n', [.. site.Events.Select(e => e.Text), .. _transfers.All.Select(t => t.ToString()), .. qemu.Lines.TakeLast(20)]));
        }
    }

    TftpAnswer ITftpFiles.Open(string name, IPEndPoint client) => TftpAnswer.Of(new byte[300_000]);

    void ITftpObserver.Observe(TftpEvent tftpEvent) => _transfers.Add(tftpEvent);
}
