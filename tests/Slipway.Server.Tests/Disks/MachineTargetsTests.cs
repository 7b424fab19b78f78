using System.Net;
using Slipway.Fleet.Boots;
using Slipway.Fleet.Credentials;
using Slipway.Fleet.Machines;
using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Target;
using Slipway.Server.Disks;
using Slipway.Server.Site;

namespace Slipway.Server.Tests.Disks;

/// <summary>Which targets an initiator may see, and where it is sent.</summary>
public sealed class MachineTargetsTests : IAsyncDisposable
{
    private const string Rescue = "iqn.2026-11.test:rescue";
    private static readonly IPEndPoint Boot = IPEndPoint.Parse("10.77.0.1:3260"), Storage = IPEndPoint.Parse("10.88.0.1:3260");

    private readonly TemporaryFolder _folder = new();
    private readonly List<MachineDisk> _disks = [];

    public async ValueTask DisposeAsync()
    {
        foreach (var disk in _disks)
            await disk.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Discovery_shows_the_target_whose_secret_was_proved()
    {
        var targets = new MachineTargets([]);
        var one = await AddAsync(targets, new() { Name = "one", Mac = Mac(1), Volume = Disk("one"), AllowInitiators = [Rescue] });
        var two = await AddAsync(targets, new() { Name = "two", Mac = Mac(2), Volume = Disk("two"), AllowInitiators = [Rescue.ToUpperInvariant()] });
        await AddAsync(targets, new() { Name = "three", Mac = Mac(3), Volume = Disk("three") });
        await AddAsync(targets, new() { Name = "four", Mac = Mac(4), Volume = Disk("four"), AllowInitiators = [Rescue], AllowNetworks = [IPNetwork.Parse("10.99.0.0/16")] });
        await AddAsync(targets, new() { Name = "five", Mac = Mac(5), Volume = Disk("five"), AllowInitiators = [Rescue] }, hasSecrets: false);

        Assert.Equal(["one", "two"], targets.Admit(Discovery(Rescue)).Chap.Select(c => c.Initiator.Name).Order());
        Assert.Equal(one.Names.Target, Assert.Single(targets.Discover(Discovery(Rescue, "one"))).Name);
        Assert.Equal(two.Names.Target, Assert.Single(targets.Discover(Discovery(Rescue, "two"))).Name);
        foreach (var other in (string?[])["three", "four", "five", null])
            Assert.Empty(targets.Discover(Discovery(Rescue, other)));
        var own = targets.Admit(Discovery(one.Names.Initiator));
        Assert.Equal(("one", true), (Assert.Single(own.Chap).Initiator.Name, own.IsChapOptional));
        Assert.Equal(one.Names.Target, Assert.Single(targets.Discover(Discovery(one.Names.Initiator))).Name);
        Assert.Empty(targets.Discover(Discovery(one.Names.Initiator, "two")));
        Assert.False(targets.Admit(Discovery(Rescue)).IsChapOptional);
        Assert.Equal(LoginStatus.AuthorizationFailure, targets.Admit(Discovery("iqn.2026-11.test:stranger")).Status);
    }

    [Fact]
    public async Task Logins_at_other_portals_are_sent_to_the_machines_own_or_the_sites()
    {
        var targets = new MachineTargets([], new IPEndPoint(Storage.Address, 0));
        var one = await AddAsync(targets, new() { Name = "one", Mac = Mac(1), Volume = Disk("one") });
        var two = await AddAsync(targets, new() { Name = "two", Mac = Mac(2), Volume = Disk("two"), Redirect = IPEndPoint.Parse("10.99.0.1:3261") });

        var sent = targets.Admit(Login(one, Boot));
        Assert.Equal((LoginStatus.TargetMovedTemporarily, Storage), (sent.Status, sent.Elsewhere));
        Assert.True(targets.Admit(Login(one, Storage)).IsGranted);
        Assert.Equal(IPEndPoint.Parse("10.99.0.1:3261"), targets.Admit(Login(two, Storage)).Elsewhere);
        Assert.Equal([Storage], Assert.Single(targets.Discover(Discovery(one.Names.Initiator, "one"))).Portals);
        // Whoever may not log in is not told where either.
        Assert.Equal(LoginStatus.AuthorizationFailure, targets.Admit(Login(one, Boot) with { InitiatorName = Rescue }).Status);
    }

    private static LoginFacts Discovery(string initiator, string? proved = null) =>
        new(IPEndPoint.Parse("10.77.0.9:50000"), Boot, initiator, null, SessionType.Discovery, 1) { ProvedName = proved };

    private static LoginFacts Login(MachineDisk disk, IPEndPoint portal) =>
        new(IPEndPoint.Parse("10.77.0.9:50000"), portal, disk.Names.Initiator, disk.Names.Target, SessionType.Normal, 1);

    private static MacAddress Mac(int number) => MacAddress.Parse($"52:54:00:00:00:{number:x2}");

    private string Disk(string name)
    {
        var path = Path.Combine(_folder.Path, name + ".raw");
        File.WriteAllBytes(path, new byte[1 << 20]);
        return path;
    }

    private async Task<MachineDisk> AddAsync(MachineTargets targets, MachineSettings machine, bool hasSecrets = true)
    {
        var disk = await MachineDisk.OpenAsync(machine, new SiteConfiguration { State = _folder.Path }, new BootTimelines(TimeProvider.System),
            hasSecrets ? BootCredentials.Create(machine.Name) : null, TestContext.Current.CancellationToken);
        _disks.Add(disk);
        targets.Add(disk);
        return disk;
    }
}
