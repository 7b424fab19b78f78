using Slipway.Demo.Machine;
using Slipway.Server.Tests;
using Slipway.Server.Tests.Net;

namespace Slipway.EndToEnd;

/// <summary>A stock machine whose disk is on VLANs that its firmware, and then its system, tag for.</summary>
public sealed class StorageNetworkTests : IDisposable
{
    private static readonly TimeSpan Boot = TimeSpan.FromMinutes(4);

    private const string Left = "{ name: left, role: storage, vlan: 88, interface: eth2, address: 10.88.0.1/24, pool: 10.88.0.100-10.88.0.200, probe: false }";
    private const string Right = "{ name: right, role: storage, vlan: 89, interface: eth3, address: 10.89.0.1/24, pool: 10.89.0.100-10.89.0.200, probe: false }";

    private readonly TemporaryFolder _folder = new();
    private readonly NetworkNamespace _network = new("vlan");
    private readonly VlanSwitch _switch;
    private Demo? _parts;

    public StorageNetworkTests()
    {
        _switch = new VlanSwitch(_network, _folder.Path);
        _switch.AddPort("eth1", "10.77.0.1/24");
        _switch.AddPort("eth2", "10.88.0.1/24", 88);
        _switch.AddPort("eth3", "10.89.0.1/24", 89);
    }

    public void Dispose()
    {
        _switch.Dispose();
        _network.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task OVMF_boots_over_a_VLAN_that_iPXE_and_Linux_tag_for()
    {
        _switch.Start();
        using var server = await ServeAsync("ovmf", Left);
        Assert.Equal(0, _network.Execute("bash", "-c", "echo > /dev/tcp/10.88.0.1/3260").ExitCode);
        Assert.NotEqual(0, _network.Execute("bash", "-c", "echo > /dev/tcp/10.77.0.1/3260").ExitCode);
        Assert.NotEqual(0, _network.Execute("bash", "-c", "echo > /dev/tcp/10.88.0.1/443").ExitCode);
        using var machine = StartOvmf();
        server.WaitFor("at 10.88.0.1:3260, told to the kernel by iBFT", Boot);
        server.WaitFor("iPXE is logged in with mutual CHAP", Boot);
        await GuestNetwork.AssertUpAsync(server, machine, Boot);
        Assert.Equal(2, server.Lines.Count(l => l.Contains("at 10.88.0.100:", StringComparison.Ordinal) && l.Contains("logged in to", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task OVMF_boots_by_the_second_portal_where_the_network_of_the_first_is_dead()
    {
        _switch.Start();
        using var server = await ServeAsync("ovmf", Left, Right);
        _network.Ip("link", "set", "eth2", "down");
        using var machine = StartOvmf();
        server.WaitFor("at 10.88.0.1:3260 and 10.89.0.1:3260, told to the kernel by iBFT", Boot);
        server.WaitFor("iPXE is logged in with mutual CHAP", Boot);
        await GuestNetwork.AssertUpAsync(server, machine, Boot);
        Assert.Equal(2, server.Lines.Count(l => l.Contains("at 10.89.0.100:", StringComparison.Ordinal) && l.Contains("logged in to", StringComparison.Ordinal)));
    }

    /// <summary>Linux has both from the iBFT, the dead one first.</summary>
    [Fact]
    public async Task Linux_comes_up_by_the_second_portal_where_the_first_died_after_iPXE()
    {
        _switch.Start();
        using var server = await ServeAsync("ovmf", Left, Right);
        using var machine = StartOvmf();
        server.WaitFor("at 10.88.0.1:3260 and 10.89.0.1:3260, told to the kernel by iBFT", Boot);
        machine.WaitFor("Linux version", Boot);
        _network.Ip("link", "set", "eth2", "down");
        await GuestNetwork.AssertUpAsync(server, machine, Boot);
        Assert.Contains("at 10.89.0.100:", server.Lines.Last(l => l.Contains("logged in to", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    /// <summary>iPXE tags as its script says, Linux as the kernel's arguments do.</summary>
    [Fact]
    public async Task U_Boot_boots_by_the_second_portal_where_the_VLAN_of_the_first_gives_no_address()
    {
        _switch.Start();
        using var server = await ServeAsync("uboot-x86_64", Left, Right);
        _network.Ip("link", "set", "eth2", "down");
        using var machine = StartUBoot();
        server.WaitFor("at 10.88.0.1:3260 and 10.89.0.1:3260, told to the kernel by kernel arguments", Boot);
        await GuestNetwork.AssertUpAsync(server, machine, Boot);
        Assert.Contains(machine.Lines, l => l.Contains("no DHCP server answers on slipway.88", StringComparison.Ordinal));
        Assert.Equal(2, server.Lines.Count(l => l.Contains("at 10.89.0.100:", StringComparison.Ordinal) && l.Contains("logged in to", StringComparison.Ordinal)));
    }

    private async Task<BackgroundTool> ServeAsync(string firmware, params string[] storage)
    {
        _parts = await Demo.PrepareAsync(_folder, firmware);
        var server = GuestNetwork.Serve(_network, _folder, _parts, "pool: 10.77.0.100-10.77.0.200, probe: false", storage);
        server.WaitFor("serving storage network", times: storage.Length);
        return server;
    }

    private BackgroundTool StartOvmf() => Start(GuestNetwork.Ovmf(_folder));

    private BackgroundTool StartUBoot() => Start(GuestNetwork.UBoot(_folder, _parts!));

    private BackgroundTool Start(QemuCommand command) =>
        _network.Start([command.Program, .. command.Arguments.Select(a => a.StartsWith("tap,id=n0", StringComparison.Ordinal) ? _switch.Cable : a)]);
}
