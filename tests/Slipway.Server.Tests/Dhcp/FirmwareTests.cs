using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Slipway.Dhcp.Clients;
using Slipway.Dhcp.Networks;
using Slipway.Dhcp.Server;
using Slipway.Server.Tests.Net;
using Slipway.Server.Tftp;
using Slipway.Tftp.Server;

namespace Slipway.Server.Tests.Dhcp;

/// <summary>Real firmware in QEMU, as far as the file it is told to boot.</summary>
public sealed class FirmwareTests : ITftpFiles, ITftpObserver
{
    private const string Uuid = "0f0e0d0c-0b0a-0908-0706-050403020100";

    private readonly EventLog<TftpEvent> _transfers = new();
    private string? _script;

    [Fact]
    public async Task OVMF_fetches_the_file_for_x64()
    {
        await using var site = DhcpSite.ForMachines();
        site.Start();
        await BootAsync(site, Ovmf, "ipxe-x64.efi");
        var ack = await site.WaitForAsync(DhcpEventKind.Acknowledged);
        Assert.Equal((ClientKind.Firmware, ClientArchitecture.X64Uefi), (ack.Client!.Kind, ack.Client.Architecture));
        Assert.Equal(Guid.Parse(Uuid), ack.Client.Uuid);
    }

    [Fact]
    public async Task AAVMF_fetches_the_file_for_arm64()
    {
        await using var site = DhcpSite.ForMachines();
        site.Start();
        await BootAsync(site, Aavmf, "ipxe-arm64.efi");
    }

    [Fact]
    public async Task IPXE_under_SeaBIOS_fetches_the_script()
    {
        await using var site = DhcpSite.ForMachines();
        site.Start();
        await BootAsync(site, _ => SeaBios, "script.ipxe");
        var ack = await site.WaitForAsync(DhcpEventKind.Acknowledged);
        Assert.Equal((ClientKind.Ipxe, ClientArchitecture.Bios), (ack.Client!.Kind, ack.Client.Architecture));
    }

    [Theory]
    [InlineData("ipxe-x64.efi")]
    [InlineData("ipxe-arm64.efi")]
    public async Task UEFI_beside_dnsmasq_takes_the_address_from_it_and_the_file_from_the_proxy(string file)
    {
        await using var site = DhcpSite.ForMachines(NetworkMode.Proxy);
        using var other = site.StartDnsmasq();
        site.Start();
        await BootAsync(site, Uefi(file), file);
        Assert.DoesNotContain(site.Events, e => e.Kind is DhcpEventKind.Offered or DhcpEventKind.Acknowledged);
    }

    [Fact]
    public async Task IPXE_beside_dnsmasq_takes_the_address_from_it_and_the_script_from_the_proxy()
    {
        await using var site = DhcpSite.ForMachines(NetworkMode.Proxy);
        using var other = site.StartDnsmasq();
        site.Start();
        // dnsmasq says nothing of log servers: iPXE's settings are those of both offers, the proxy's option 7 among them.
        _script = "#!ipxe\nchain tftp://10.91.0.1/router-${gateway}-log-server-${7:ipv4}\n";
        await BootAsync(site, _ => SeaBios, "script.ipxe", "router-10.91.0.2-log-server-10.91.0.1");
        Assert.DoesNotContain(site.Events, e => e.Kind is DhcpEventKind.Offered or DhcpEventKind.Acknowledged);
    }

    [Theory]
    [InlineData("ipxe-x64.efi", NetworkMode.Authoritative)]
    [InlineData("ipxe-x64.efi", NetworkMode.Proxy)]
    [InlineData("ipxe-arm64.efi", NetworkMode.Authoritative)]
    [InlineData("ipxe-arm64.efi", NetworkMode.Proxy)]
    public async Task UEFI_fetches_the_file_by_HTTP(string file, NetworkMode mode)
    {
        await using var site = DhcpSite.ForMachines(mode);
        using var other = mode == NetworkMode.Proxy ? site.StartDnsmasq() : null;
        site.Start();
        var fetched = new EventLog<string>();
        await using var web = HttpServer(site, fetched);
        await web.StartAsync(TestContext.Current.CancellationToken);
        using var folder = new TemporaryFolder();
        using var qemu = Start(site, [.. Uefi(file)(folder), "-fw_cfg", "name=opt/org.tianocore/IPv4PXESupport,string=n", "-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=n"]);
        await AwaitAsync(fetched, r => r.StartsWith("GET", StringComparison.Ordinal), site, qemu);
        Assert.All(fetched.All, r => Assert.EndsWith($" /firmware/{file}", r, StringComparison.Ordinal));
    }

    private static WebApplication HttpServer(DhcpSite site, EventLog<string> fetched)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(k => k.Listen(IPAddress.Parse("10.91.0.1"), 80));
        builder.WebHost.UseSockets(s => s.CreateBoundListenSocket = e => site.ServerSide.Run(() => SocketTransportOptions.CreateDefaultBoundListenSocket(e)));
        var web = builder.Build();
        web.Run(context =>
        {
            fetched.Add($"{context.Request.Method} {context.Request.Path}");
            return Results.Bytes(new byte[300_000]).ExecuteAsync(context);
        });
        return web;
    }

    private static Func<TemporaryFolder, string[]> Uefi(string file) => file == "ipxe-arm64.efi" ? Aavmf : Ovmf;

    private static string[] SeaBios => ["qemu-system-x86_64", "-machine", "pc", "-device", $"virtio-net-pci,netdev=n0,mac={DhcpSite.ClientMac},bootindex=0"];

    private static string[] Ovmf(TemporaryFolder folder)
    {
        var variables = Path.Combine(folder.Path, "vars.fd");
        File.Copy("/usr/share/OVMF/OVMF_VARS_4M.fd", variables);
        return
        [
            "qemu-system-x86_64", "-machine", "q35", "-cpu", "max,la57=off",
            "-drive", "if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd",
            "-drive", $"if=pflash,format=raw,unit=1,file={variables}",
            "-device", $"virtio-net-pci,netdev=n0,mac={DhcpSite.ClientMac},romfile=,bootindex=0",
            "-device", "virtio-rng-pci",
        ];
    }

    private static string[] Aavmf(TemporaryFolder folder)
    {
        var variables = Path.Combine(folder.Path, "vars.fd");
        File.Copy("/usr/share/AAVMF/AAVMF_VARS.fd", variables);
        return
        [
            "qemu-system-aarch64", "-machine", "virt", "-cpu", "max,pauth-impdef=on",
            "-drive", "if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/AAVMF/AAVMF_CODE.fd",
            "-drive", $"if=pflash,format=raw,unit=1,file={variables}",
            "-device", $"virtio-net-pci,netdev=n0,mac={DhcpSite.ClientMac},romfile=,bootindex=0",
            "-device", "virtio-rng-pci",
        ];
    }

    private async Task BootAsync(DhcpSite site, Func<TemporaryFolder, string[]> machine, params string[] files)
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
        using var qemu = Start(site, machine(folder));
        await AwaitAsync(_transfers, e => e.Kind == TftpEventKind.Done && _transfers.All.Count(o => o.Kind == TftpEventKind.Done) >= files.Length, site, qemu);
        Assert.Equal(files, _transfers.All.Where(e => e.Kind == TftpEventKind.Done).Select(e => e.Name));
    }

    private static BackgroundTool Start(DhcpSite site, string[] machine) =>
        site.ServerSide.Start([.. machine, "-accel", "tcg", "-m", "512", "-uuid", Uuid, "-display", "none", "-monitor", "none", "-serial", "stdio",
            "-no-reboot", "-netdev", $"tap,id=n0,ifname={DhcpSite.Link},script=no,downscript=no"]);

    private static async Task<T> AwaitAsync<T>(EventLog<T> log, Predicate<T> wanted, DhcpSite site, BackgroundTool qemu)
    {
        try
        {
            return await log.WaitForAsync(wanted, TimeSpan.FromSeconds(90));
        }
        catch (TimeoutException)
        {
            Assert.Fail(string.Join('\n', [.. site.Events.Select(e => e.Text), .. log.All.Select(t => $"{t}"), .. qemu.Lines.TakeLast(20)]));
            throw;
        }
    }

    TftpAnswer ITftpFiles.Open(string name, IPEndPoint client) =>
        TftpAnswer.Of(name == "script.ipxe" && _script is { } script ? Encoding.ASCII.GetBytes(script) : new byte[300_000]);

    void ITftpObserver.Observe(TftpEvent tftpEvent) => _transfers.Add(tftpEvent);
}
