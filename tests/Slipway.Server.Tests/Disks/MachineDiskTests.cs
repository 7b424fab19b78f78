using Slipway.Fleet.Boots;
using Slipway.Fleet.Credentials;
using Slipway.Fleet.Machines;
using Slipway.Scsi;
using Slipway.Server.Disks;
using Slipway.Server.Site;
using Slipway.Volumes.Layers;
using Slipway.Volumes.Store;

namespace Slipway.Server.Tests.Disks;

public sealed class MachineDiskTests
{
    private const string Initiator = "iqn.2026-11.test:node,i,0x00023d000001";

    /// <summary>Whether the machine's disk is a volume of this server's or a file of its own.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Reservations_with_APTPL_are_there_after_a_restart(bool isVolume)
    {
        using var folder = new TemporaryFolder();
        var cancellation = TestContext.Current.CancellationToken;
        var file = Path.Combine(folder.Path, "node.raw");
        await File.WriteAllBytesAsync(file, new byte[1 << 20], cancellation);
        if (isVolume)
            await new VolumeStore(folder.Path).CreateAsync("node", 1 << 20, cancellation: cancellation);
        var machine = new MachineSettings { Name = "node", Mac = MacAddress.Parse("52:54:00:00:00:01"), Volume = isVolume ? "node" : file };
        var site = new SiteConfiguration { Name = "lab", State = folder.Path, Machines = [machine] };

        var register = new byte[24];
        (register[15], register[20]) = (0xA, 0x01); // the key, APTPL
        await SendAsync("5F000000000000001800", register);
        Assert.Equal("00000008000000000000000A", Convert.ToHexString(await SendAsync("5E000000000000004000", []))[8..]);

        async Task<byte[]> SendAsync(string cdb, byte[] data)
        {
            await using var disk = await MachineDisk.OpenAsync(machine, site, new BootTimelines(TimeProvider.System), null, cancellation);
            var nexus = disk.Device.OpenNexus(Initiator, 1);
            var task = new Command();
            // The first is told of the reset that opening a nexus is.
            foreach (var each in (string[])["000000000000", cdb])
            {
                task.Reset(Convert.FromHexString(each));
                (task.Nexus, task.DataOut, task.DataInLimit) = (nexus, data, 1 << 10);
                await disk.Device.ExecuteAsync(task, cancellation);
            }
            Assert.Equal(ScsiStatus.Good, task.Status);
            return task.DataIn.ToArray();
        }
    }

    [Fact]
    public async Task A_volume_is_held_while_its_machine_boots_or_has_a_session()
    {
        using var folder = new TemporaryFolder();
        var cancellation = TestContext.Current.CancellationToken;
        var store = new VolumeStore(folder.Path);
        await store.CreateAsync("node", 1 << 20, cancellation: cancellation);
        var machine = new MachineSettings { Name = "node", Mac = MacAddress.Parse("52:54:00:00:00:01"), Volume = "node" };
        var site = new SiteConfiguration { Name = "lab", State = folder.Path, Machines = [machine] };
        await using var disk = await MachineDisk.OpenAsync(machine, site, new BootTimelines(TimeProvider.System), null, cancellation);
        Assert.False(await IsHeldAsync(store));

        await disk.BeginAsync(BootCredentials.Create("node"), "", () => Task.CompletedTask, cancellation);
        await disk.ReleaseIfIdleAsync();
        Assert.True(await IsHeldAsync(store));
        var nexus = disk.Device.OpenNexus(Initiator, 1);
        await disk.ReleaseIfIdleAsync();
        await disk.ReleaseIfIdleAsync();
        Assert.True(await IsHeldAsync(store));
        disk.Device.CloseNexus(nexus);
        await disk.ReleaseIfIdleAsync();
        Assert.True(await IsHeldAsync(store));
        await disk.ReleaseIfIdleAsync();
        Assert.False(await IsHeldAsync(store));
    }

    private static async Task<bool> IsHeldAsync(VolumeStore store)
    {
        try
        {
            await (await store.OpenToCopyAsync("node", TestContext.Current.CancellationToken)).DisposeAsync();
            return false;
        }
        catch (VolumeStoreException)
        {
            return true;
        }
    }

    /// <summary>SBC-3 §4.10: FORMAT UNIT with IMMED goes on without the session, and nobody else may have the volume meanwhile.</summary>
    [Fact]
    public async Task A_volume_is_held_while_it_is_formatted_in_the_background()
    {
        using var folder = new TemporaryFolder();
        var cancellation = TestContext.Current.CancellationToken;
        var store = new VolumeStore(folder.Path);
        await store.CreateAsync("node", 1 << 20, cancellation: cancellation);
        var machine = new MachineSettings
        {
            Name = "node", Mac = MacAddress.Parse("52:54:00:00:00:01"), Volume = "node",
            Faults = [new FaultRule(FaultKind.Delay, FaultOperations.Write) { Delay = TimeSpan.FromHours(1) }],
        };
        var site = new SiteConfiguration { Name = "lab", State = folder.Path, Machines = [machine] };
        await using var disk = await MachineDisk.OpenAsync(machine, site, new BootTimelines(TimeProvider.System), null, cancellation);
        await disk.BeginAsync(BootCredentials.Create("node"), "", () => Task.CompletedTask, cancellation);
        var nexus = disk.Device.OpenNexus(Initiator, 1);
        var format = new Command();
        format.Reset(Convert.FromHexString("041000000000"));
        (format.Nexus, format.DataOut) = (nexus, new byte[] { 0x00, 0x82, 0x00, 0x00 });
        await disk.Device.ExecuteAsync(format, cancellation);
        Assert.Equal(ScsiStatus.Good, format.Status);
        disk.Device.CloseNexus(nexus);

        for (var i = 0; i < 3; i++)
            await disk.ReleaseIfIdleAsync();
        Assert.True(await IsHeldAsync(store));
    }

    private sealed class Command : ScsiTask
    {
        public override Memory<byte> LendDataIn(int length) => new byte[length];
    }
}
