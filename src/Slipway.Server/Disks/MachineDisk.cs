using Slipway.Disks;
using Slipway.Disks.Mapping;
using Slipway.Fleet.Boots;
using Slipway.Fleet.Credentials;
using Slipway.Iscsi.Target;
using Slipway.Scsi;
using Slipway.Scsi.AtomicWriting;
using Slipway.Scsi.Reservations;
using Slipway.Server.Boot;
using Slipway.Server.Boot.Scripts;
using Slipway.Server.Site;
using Slipway.Server.Timeline;
using Slipway.Volumes.Layers;
using Slipway.Volumes.Store;

namespace Slipway.Server.Disks;

/// <summary>A machine's volume as the LUN 0 of a target that is its alone, and what may log in to it.</summary>
internal sealed class MachineDisk : IAsyncDisposable
{
    private readonly IBlockDevice _volume;
    private readonly LiveVolume? _live;
    private readonly DiskUnit _unit;
    private readonly DiskMap _map;
    private volatile BootCredentials? _credentials;
    private bool _wasIdle;

    private MachineDisk(MachineSettings machine, IscsiNames names, IBlockDevice volume, LiveVolume? live, IReservationStore? reservations, IAtomicWriteStore? atomicWrites, int ports, BootTimelines timelines, BootCredentials? credentials)
    {
        Names = names;
        (Machine, Access) = (machine, AccessOf(machine, names));
        (_volume, _live) = (volume, live);
        _credentials = credentials;
        // The map reads the volume itself: its own reads are no evidence of a boot.
        _map = new DiskMap(volume);
        Evidence = new DiskEvidence(_map, (stage, text, facts) => timelines.Observe(machine.Mac, machine.Name, stage, text, facts));
        Device = new TargetDevice(names.Target, ports);
        _unit = new DiskUnit(new ObservedLayer(volume, Evidence.Touch), new UnitIdentity(names.Target, ProductOf(machine.Name)), reservations: reservations, atomicWrites: atomicWrites);
        Device.Attach(0, _unit);
        if (live is null) return;
        live.LengthChanged += _unit.ReportCapacityChange;
        live.Replacing = _unit.TakeMediumAwayAsync;
    }

    public MachineSettings Machine { get; private set; }

    public IscsiNames Names { get; }

    /// <summary>Who may log in: its own initiator, those that are named besides, and from where.</summary>
    public InitiatorAccess Access { get; private set; }

    public TargetDevice Device { get; }

    /// <summary>What is on it: what the server itself reads there is no evidence of a boot.</summary>
    public IBlockDevice Volume => _volume;

    public DiskEvidence Evidence { get; }

    /// <summary>Null before the machine's first script, and when they are forgotten: nobody can log in.</summary>
    public BootCredentials? Credentials => _credentials;

    /// <summary>A volume of the store is there, and is opened when it is used first.</summary>
    /// <exception cref="IOException">The volume is not there, or a file of its own cannot be opened.</exception>
    public static async Task<MachineDisk> OpenAsync(
        MachineSettings machine, SiteConfiguration site, BootTimelines timelines, BootCredentials? credentials, CancellationToken cancellation)
    {
        var live = Path.IsPathRooted(machine.Volume) ? null : new VolumeStore(site.State).ServeOnDemand(machine.Volume);
        var volume = live ?? await Volumes.Volume.OpenAsync(machine.Volume, cancellation: cancellation);
        try
        {
            var layered = LayeredDisk.Create(volume, machine.Faults, machine.Trace, Random.Shared, TimeProvider.System);
            var path = live?.Path ?? Path.GetFullPath(machine.Volume);
            var reservations = FileReservationStore.Beside(path);
            var atomicWrites = await FileAtomicWriteStore.RecoverAsync(volume, path, cancellation);
            return new(machine, IscsiNames.Of(site.Name, machine.Name), layered, live, reservations, atomicWrites, Math.Max(1, site.StorageNetworks.Count()), timelines, credentials);
        }
        catch
        {
            await volume.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Begins a boot: a volume that is to be reset is fresh, from here on only these secrets open the disk, and GRUB finds
    /// <paramref name="kernelArguments"/>. False where the volume has no environment block for them.
    /// </summary>
    /// <exception cref="DiskFormatException">The block is damaged.</exception>
    /// <exception cref="BlockDeviceException">The volume cannot be written.</exception>
    public async Task<bool> BeginAsync(BootCredentials credentials, string kernelArguments, Func<Task> endSessions, CancellationToken cancellation)
    {
        // In this order: who is thrown out cannot come back with the old secrets, and nobody writes into a fresh volume.
        _credentials = credentials;
        await endSessions();
        if (_live is not null)
        {
            await _live.BeginBootAsync(cancellation);
            _map.Invalidate();
        }
        var stored = !_volume.IsReadOnly && await GrubEnvironment.SetAsync(_volume, kernelArguments, cancellation);
        Evidence.Begin();
        return stored;
    }

    /// <summary>From here on nobody can log in, until the next boot; who is, stays until told.</summary>
    public void ForgetCredentials() => _credentials = null;

    /// <summary>Takes on settings that differ in nothing that the disk is made of; they count from the next login or script on.</summary>
    public void Update(MachineSettings machine) => (Machine, Access) = (machine, AccessOf(machine, Names));

    /// <summary>Gives the volume back where nobody used it now and the last time that this was asked.</summary>
    public async ValueTask ReleaseIfIdleAsync()
    {
        var isIdle = !Device.IsInUse;
        if (isIdle && _wasIdle && _live is not null)
            await _live.ReleaseAsync();
        _wasIdle = isIdle;
    }

    private static InitiatorAccess AccessOf(MachineSettings machine, IscsiNames names) =>
        new() { Initiators = [names.Initiator, .. machine.AllowInitiators], Networks = machine.AllowNetworks };

    // INQUIRY has room for sixteen characters.
    private static string ProductOf(string name) => name[..Math.Min(name.Length, 16)];

    public async ValueTask DisposeAsync()
    {
        // What still goes on in the background would take the files again.
        await _unit.TakeMediumAwayAsync();
        await _volume.DisposeAsync();
        _map.Dispose();
    }
}
