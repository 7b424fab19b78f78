using Slipway.Disks;
using Slipway.Disks.Mapping;
using Slipway.Fleet.Boots;
using Slipway.Fleet.Credentials;
using Slipway.Scsi;
using Slipway.Server.Boot;
using Slipway.Server.Site;
using Slipway.Server.Timeline;
using Slipway.Volumes;

namespace Slipway.Server.Disks;

/// <summary>A machine's volume as the LUN 0 of a target that is its alone, and what may log in to it.</summary>
internal sealed class MachineDisk : IAsyncDisposable
{
    private readonly IBlockDevice _volume;
    private readonly DiskMap _map;
    private volatile BootCredentials? _credentials;

    private MachineDisk(MachineSettings machine, IscsiNames names, IBlockDevice volume, BootTimelines timelines, BootCredentials? credentials)
    {
        Machine = machine;
        Names = names;
        _volume = volume;
        _credentials = credentials;
        // The map reads the volume itself: its own reads are no evidence of a boot.
        _map = new DiskMap(volume);
        Evidence = new DiskEvidence(_map, (stage, text, facts) => timelines.Observe(machine.Mac, machine.Name, stage, text, facts));
        Device = new TargetDevice(names.Target);
        Device.Attach(0, new DiskUnit(new ObservedLayer(volume, Evidence.Touch), new UnitIdentity(names.Target, machine.Name)));
    }

    public MachineSettings Machine { get; }

    public IscsiNames Names { get; }

    public TargetDevice Device { get; }

    public DiskEvidence Evidence { get; }

    /// <summary>Null before the machine's first script: nobody can log in.</summary>
    public BootCredentials? Credentials => _credentials;

    /// <exception cref="BlockDeviceException">The volume cannot be opened.</exception>
    public static async Task<MachineDisk> OpenAsync(
        MachineSettings machine, string site, BootTimelines timelines, BootCredentials? credentials, CancellationToken cancellation) =>
        new(machine, IscsiNames.Of(site, machine.Name), await Volume.OpenAsync(machine.Volume, cancellation: cancellation), timelines, credentials);

    /// <summary>
    /// Begins a boot: from here on only these secrets open the disk, and GRUB finds <paramref name="kernelArguments"/>.
    /// False where the volume has no environment block for them.
    /// </summary>
    /// <exception cref="DiskFormatException">The block is damaged.</exception>
    /// <exception cref="BlockDeviceException">The volume cannot be written.</exception>
    public async Task<bool> BeginAsync(BootCredentials credentials, string kernelArguments, CancellationToken cancellation)
    {
        var stored = !_volume.IsReadOnly && await GrubEnvironment.SetAsync(_volume, kernelArguments, cancellation);
        _credentials = credentials;
        Evidence.Begin();
        return stored;
    }

    public async ValueTask DisposeAsync()
    {
        await _volume.DisposeAsync();
        _map.Dispose();
    }
}
