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
    private const string Ready = "000000000000";

    private static FaultRule Failing { get; } = new(FaultKind.Error, FaultOperations.Write) { Times = 1 };

    /// <summary>What it meets does not end within a test.</summary>
    private static FaultRule Standing { get; } = new(FaultKind.Delay, FaultOperations.Write) { Delay = TimeSpan.FromHours(1) };

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

    /// <summary>What a format left, or does still, is the former disk's: a volume that begins anew is fit for use.</summary>
    [Theory]
    [InlineData("041000000000", true)]
    [InlineData("041000000000", false)]
    [InlineData("48820000000000000000", true)] // SANITIZE, BLOCK ERASE, whose failure no format ends
    public async Task A_volume_that_begins_anew_knows_nothing_of_the_formats_before(string cdb, bool fails)
    {
        using var folder = new TemporaryFolder();
        var cancellation = TestContext.Current.CancellationToken;
        var store = new VolumeStore(folder.Path);
        var content = await ImageAsync(store, folder);
        await store.CloneAsync("node", store.Images.Find("a"), new(VolumePolicy.Reset), cancellation);
        await using var disk = await OpenAsync(folder, fails ? Failing : Standing);
        await disk.BeginAsync(BootCredentials.Create("node"), "", () => Task.CompletedTask, cancellation);
        var nexus = disk.Device.OpenNexus(Initiator, 1);
        await SendAsync(disk, nexus, cdb, [0x00, 0x82, 0x00, 0x00]);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (fails && (await SendAsync(disk, nexus, Ready)).SenseKey == SenseKey.NotReady)
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        Assert.Equal(fails ? SenseKey.MediumError : SenseKey.NotReady, (await SendAsync(disk, nexus, Ready)).SenseKey);
        disk.Device.CloseNexus(nexus);

        await disk.BeginAsync(BootCredentials.Create("node"), "", () => Task.CompletedTask, cancellation);
        nexus = disk.Device.OpenNexus(Initiator, 1);
        Assert.Equal(ScsiStatus.Good, (await SendAsync(disk, nexus, Ready)).Status);
        Assert.Equal(content[..512], (await SendAsync(disk, nexus, "28000000000000000100")).DataIn.ToArray());
    }

    [Fact]
    public async Task A_volume_that_was_rolled_back_knows_nothing_of_the_formats_before()
    {
        using var folder = new TemporaryFolder();
        var cancellation = TestContext.Current.CancellationToken;
        var store = new VolumeStore(folder.Path);
        var content = await ImageAsync(store, folder);
        await store.CloneAsync("node", store.Images.Find("a"), cancellation: cancellation);
        await store.SnapshotAsync("node", "before", cancellation);
        await using var disk = await OpenAsync(folder, Failing);
        await disk.BeginAsync(BootCredentials.Create("node"), "", () => Task.CompletedTask, cancellation);
        var nexus = disk.Device.OpenNexus(Initiator, 1);
        Assert.Equal(SenseKey.MediumError, (await SendAsync(disk, nexus, "040000000000")).SenseKey);
        disk.Device.CloseNexus(nexus);

        // Whoever merely boots has the same disk.
        await disk.BeginAsync(BootCredentials.Create("node"), "", () => Task.CompletedTask, cancellation);
        Assert.Equal(SenseKey.MediumError, await BootsAsync());
        await disk.ReleaseIfIdleAsync();
        await disk.ReleaseIfIdleAsync();
        await store.RollBackAsync("node", "before", cancellation);
        await disk.BeginAsync(BootCredentials.Create("node"), "", () => Task.CompletedTask, cancellation);
        Assert.Equal(SenseKey.NoSense, await BootsAsync());

        async Task<SenseKey> BootsAsync()
        {
            var session = disk.Device.OpenNexus(Initiator, 1);
            var key = (await SendAsync(disk, session, Ready)).SenseKey;
            if (key == SenseKey.NoSense)
                Assert.Equal(content[..512], (await SendAsync(disk, session, "28000000000000000100")).DataIn.ToArray());
            disk.Device.CloseNexus(session);
            return key;
        }
    }

    private static async Task<byte[]> ImageAsync(VolumeStore store, TemporaryFolder folder)
    {
        var content = new byte[1 << 20];
        Array.Fill(content, (byte)7);
        var source = Path.Combine(folder.Path, "source.raw");
        await File.WriteAllBytesAsync(source, content, TestContext.Current.CancellationToken);
        await store.Images.ImportAsync(source, "a", cancellation: TestContext.Current.CancellationToken);
        return content;
    }

    private static Task<MachineDisk> OpenAsync(TemporaryFolder folder, FaultRule fault)
    {
        var machine = new MachineSettings { Name = "node", Mac = MacAddress.Parse("52:54:00:00:00:01"), Volume = "node", Faults = [fault] };
        var site = new SiteConfiguration { Name = "lab", State = folder.Path, Machines = [machine] };
        return MachineDisk.OpenAsync(machine, site, new BootTimelines(TimeProvider.System), null, TestContext.Current.CancellationToken);
    }

    private static async Task<Command> SendAsync(MachineDisk disk, Nexus nexus, string cdb, byte[]? data = null)
    {
        var command = new Command();
        command.Reset(Convert.FromHexString(cdb));
        (command.Nexus, command.DataOut, command.DataInLimit) = (nexus, data, 1 << 10);
        await disk.Device.ExecuteAsync(command, TestContext.Current.CancellationToken);
        return command;
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
        await using var disk = await OpenAsync(folder, Standing);
        await disk.BeginAsync(BootCredentials.Create("node"), "", () => Task.CompletedTask, cancellation);
        var nexus = disk.Device.OpenNexus(Initiator, 1);
        Assert.Equal(ScsiStatus.Good, (await SendAsync(disk, nexus, "041000000000", [0x00, 0x82, 0x00, 0x00])).Status);
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
