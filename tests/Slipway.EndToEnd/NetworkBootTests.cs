using System.Security.Cryptography.X509Certificates;
using System.Net;
using Slipway.Demo;
using Slipway.Demo.Machine;
using Slipway.Server.Tests;
using Slipway.Server.Tests.Net;

namespace Slipway.EndToEnd;

/// <summary>Stock firmware, the other ways than plain PXE, as far as a running system.</summary>
public sealed class NetworkBootTests : IDisposable
{
    private static readonly TimeSpan Boot = TimeSpan.FromMinutes(4);

    private readonly TemporaryFolder _folder = new();
    private readonly NetworkNamespace _network = GuestNetwork.Create("net", "eth1", "10.77.0.1/24");
    private Demo? _parts;

    public void Dispose()
    {
        _network.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task OVMF_boots_by_HTTP()
    {
        using var server = await ServeAsync("pool: 10.77.0.100-10.77.0.200");
        // edk2 tries PXE first, and HTTP where it may not.
        using var machine = Start("-fw_cfg", "name=opt/org.tianocore/IPv4PXESupport,string=n", "-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=n");
        server.WaitFor("fetches ipxe-amd64.efi", Boot);
        server.WaitFor("bytes by HTTP");
        await GuestNetwork.AssertUpAsync(server, machine, Boot);
        Assert.DoesNotContain(server.Lines, l => l.Contains("tftp: ipxe-amd64.efi", StringComparison.Ordinal));
    }

    [Fact]
    public async Task OVMF_that_has_the_sites_authority_enrolled_boots_by_HTTPS_as_far_as_the_disk()
    {
        using var server = await ServeAsync("pool: 10.77.0.100-10.77.0.200, http-boot: https");
        var enrolled = Path.Combine(_folder.Path, "authorities");
        using (var root = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(_folder.Path, "state", "ca.pem")))
            await File.WriteAllBytesAsync(enrolled, SignatureList(root.RawData));
        using var machine = Start("-fw_cfg", $"name=etc/edk2/https/cacerts,file={enrolled}",
            "-fw_cfg", "name=opt/org.tianocore/IPv4PXESupport,string=n", "-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=n");
        server.WaitFor("fetches ipxe-amd64.efi", Boot);
        server.WaitFor("bytes by HTTPS");
        server.WaitFor("iPXE is logged in", Boot);
    }

    // EFI_SIGNATURE_LIST with one certificate (UEFI §32.4.1): what TlsCaCertificate holds.
    private static byte[] SignatureList(byte[] certificate)
    {
        var size = 16 + certificate.Length;
        return [.. new Guid("a5c059a1-94e4-4aa7-87b5-ab155c2bf072").ToByteArray(), .. BitConverter.GetBytes(28 + size), .. BitConverter.GetBytes(0), .. BitConverter.GetBytes(size),
            .. new byte[16], .. certificate];
    }

    [Fact]
    public async Task SeaBIOS_boots_from_a_CD_that_trusts_the_site()
    {
        using var server = await ServeAsync("pool: 10.77.0.100-10.77.0.200", "seabios");
        var (ipxe, cd) = (Path.Combine(_folder.Path, "ipxe.lkrn"), Path.Combine(_folder.Path, "boot.iso"));
        Tool.Run(Demo.Program, "firmware", "trust", Path.Combine(_parts!.Part("ipxe"), "ipxe.lkrn"), ipxe, "--ca", Path.Combine(_folder.Path, "state", "ca.pem"));
        Tool.Run(Demo.Program, "firmware", "media", cd, "--format", "iso", "--ipxe", ipxe, "--server", "https://10.77.0.1/", "--grub", _parts.Part("grub-bios"));
        var command = GuestNetwork.SeaBios();
        // Without a ROM the card boots nothing.
        using var machine = _network.Start([command.Program,
            .. command.Arguments.Select(a => a.StartsWith("virtio-net-pci,", StringComparison.Ordinal) ? $"virtio-net-pci,netdev=n0,mac={DemoSite.Mac},romfile=" : a),
            "-drive", $"if=none,id=cd,format=raw,readonly=on,file={cd}", "-device", "ide-cd,drive=cd,bootindex=0"]);
        server.WaitFor("told to the kernel by iBFT", Boot);
        await GuestNetwork.AssertUpAsync(server, machine, Boot);
        Assert.DoesNotContain(server.Lines, l => l.Contains("tftp:", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("ovmf")]
    [InlineData("uboot-x86_64")]
    public async Task A_machine_boots_beside_the_DHCP_server_that_was_there_before(string firmware)
    {
        // Two servers on one host would share the port: dnsmasq gets a host of its own on the same link.
        using var other = new NetworkNamespace("dhcp");
        _network.Ip("link", "add", "other0", "type", "veth", "peer", "name", "other0", "netns", other.Name);
        _network.Ip("link", "set", "other0", "master", "eth1", "up");
        other.Ip("addr", "add", "10.77.0.2/24", "dev", "other0");
        other.Ip("link", "set", "other0", "up");
        using var dnsmasq = other.Start("dnsmasq", "--keep-in-foreground", "--log-facility=-", "--conf-file=/dev/null", "--port=0", "--interface=other0", "--user=root",
            "--dhcp-range=10.77.0.50,10.77.0.60", "--leasefile-ro", "--pid-file=", "--dhcp-authoritative", "--no-ping");
        dnsmasq.WaitFor("DHCP, IP range");

        using var server = await ServeAsync("mode: proxy", firmware);
        using var machine = firmware == "ovmf" ? Start() : Start(GuestNetwork.UBoot(_folder, _parts!));
        if (firmware == "ovmf")
            server.WaitFor("tftp: ipxe-amd64.efi to 10.77.0.5", Boot);
        await GuestNetwork.AssertUpAsync(server, machine, Boot);
        dnsmasq.WaitFor("DHCPACK(other0) 10.77.0.5");
    }

    [Theory]
    [InlineData("ovmf", "ipxe-amd64.efi")]
    [InlineData("aavmf", "ipxe-arm64.efi")]
    public async Task Firmware_iPXE_and_Linux_boot_by_IPv6(string firmware, string ipxe)
    {
        _network.Ip("addr", "add", "fd00:77::1/64", "dev", "eth1", "nodad");
        // Nobody gets an IPv4 address. iPXE asks DHCPv6 where a router says so; edk2 asks anyway.
        using var server = await ServeAsync("mode: off, ipv6: { mode: authoritative, address: fd00:77::1/64, pool: fd00:77::1000-fd00:77::1fff }", firmware);
        await using var router = new RouterAdvertisements(_network, "eth1", IPNetwork.Parse("fd00:77::/64"));
        using var machine = Start(GuestNetwork.Edk(_folder, firmware),
            "-fw_cfg", "name=opt/org.tianocore/IPv4PXESupport,string=n", "-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=y");
        server.WaitFor($"tftp: {ipxe} to [fd00:77::1000]", Boot);
        server.WaitFor("at [fd00:77::1]:3260, told to the kernel by kernel arguments", Boot);
        server.WaitFor("iPXE is logged in with mutual CHAP", Boot);
        server.WaitFor("the operating system is logged in with mutual CHAP", Boot);
        await GuestNetwork.AssertUpAsync(server, machine, Boot);
    }

    private async Task<BackgroundTool> ServeAsync(string network, string firmware = "ovmf")
    {
        _parts = await Demo.PrepareAsync(_folder, firmware);
        return GuestNetwork.Serve(_network, _folder, _parts, network);
    }

    private BackgroundTool Start(params string[] options) => Start(GuestNetwork.Ovmf(_folder), options);

    private BackgroundTool Start(QemuCommand command, params string[] options) => _network.Start([command.Program, .. command.Arguments, .. options]);
}
