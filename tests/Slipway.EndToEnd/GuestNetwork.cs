using Slipway.Demo;
using Slipway.Demo.Machine;
using Slipway.Server.Tests;
using Slipway.Server.Tests.Net;

namespace Slipway.EndToEnd;

/// <summary>A network namespace with one interface that has the server's address, and a machine's cable in it.</summary>
internal static class GuestNetwork
{
    public const string Tap = "tap0";

    public static NetworkNamespace Create(string role, string name, string address)
    {
        var network = new NetworkNamespace(role);
        network.Ip("link", "add", name, "type", "bridge", "forward_delay", "0");
        network.Ip("addr", "add", address, "dev", name);
        network.Ip("link", "set", name, "up");
        network.Ip("tuntap", "add", "dev", Tap, "mode", "tap");
        network.Ip("link", "set", Tap, "master", name, "up");
        return network;
    }

    /// <summary><c>slipway serve</c> for the machine of the demo, which is node-1: on <c>eth1</c> as 10.77.0.1.</summary>
    /// <param name="boot">What the site's file says of the boot network, besides.</param>
    /// <param name="storage">Storage networks, each in braces.</param>
    /// <param name="volume">A copy of the demo's disk where none is named.</param>
    /// <param name="machine">What the file says of the machine, besides.</param>
    /// <param name="more">Other sections of the file.</param>
    public static BackgroundTool Serve(
        NetworkNamespace network, TemporaryFolder folder, Demo parts, string boot, IReadOnlyList<string>? storage = null, string? volume = null, string machine = "", string more = "")
    {
        if (volume is null)
            File.Copy(parts.Part("disk"), volume = Path.Combine(folder.Path, "node-1.raw"));
        var site = Path.Combine(folder.Path, "slipway.yaml");
        File.WriteAllText(site, $$"""
            name: lab
            state: {{folder.Path}}/state
            ipxe: {{parts.Part("ipxe")}}
            networks:
              - { name: boot, interface: eth1, address: 10.77.0.1/24, {{boot}} }
            {{string.Concat(storage?.Select(s => $"  - {s}\n") ?? [])}}
            machines:
              - { name: node-1, mac: "{{DemoSite.Mac}}", volume: {{volume}}{{machine}} }
            {{more}}
            """);
        var server = network.Start(Demo.Program, "serve", "-c", site);
        server.WaitFor("serving network boot");
        return server;
    }

    /// <summary>The machine of the demo with OVMF, whose variables are as they come.</summary>
    public static QemuCommand Ovmf(TemporaryFolder folder) => Edk(folder, "ovmf");

    /// <summary>The machine of the demo with OVMF or AAVMF.</summary>
    public static QemuCommand Edk(TemporaryFolder folder, string name)
    {
        var firmware = DemoFirmware.Named(name);
        var (code, asTheyCome) = DemoMachine.EdkImages(firmware);
        var variables = Path.Combine(folder.Path, "variables.fd");
        File.Copy(asTheyCome, variables);
        return new(firmware, DemoSite.Mac, Tap, code, variables, BootMedia: null);
    }

    /// <summary>The machine of the demo with a BIOS, and iPXE as its network card's ROM.</summary>
    public static QemuCommand SeaBios() => new(DemoFirmware.Named("seabios"), DemoSite.Mac, Tap, Firmware: null, Variables: null, BootMedia: null);

    /// <summary>The machine of the demo with U-Boot on a PC, and a disk with iPXE as an operator makes it for the site whose state is in the folder.</summary>
    public static QemuCommand UBoot(TemporaryFolder folder, Demo parts)
    {
        var (trusting, media) = (Path.Combine(folder.Path, "ipxe.efi"), Path.Combine(folder.Path, "media.img"));
        Tool.Run(Demo.Program, "firmware", "trust", Path.Combine(parts.Part("ipxe"), "ipxe-amd64.efi"), trusting, "--ca", Path.Combine(folder.Path, "state", "ca.pem"), "--no-sleep");
        Tool.Run(Demo.Program, "firmware", "media", media, "--ipxe", trusting, "--server", "https://10.77.0.1/");
        return new(DemoFirmware.Named("uboot-x86_64"), DemoSite.Mac, Tap, Path.Combine(parts.Part("u-boot"), "qemu-x86_64", "u-boot.rom"), Variables: null, media);
    }

    /// <summary>The machine says that it is up and goes off, and the server stops as it is told.</summary>
    public static async Task AssertUpAsync(BackgroundTool server, BackgroundTool machine, TimeSpan within)
    {
        server.WaitFor("node-1 says that it is up", within);
        Assert.Equal(0, await machine.EndAsync(within));
        server.Signal("TERM");
        Assert.Equal(0, await server.EndAsync(TimeSpan.FromMinutes(1)));
    }
}
