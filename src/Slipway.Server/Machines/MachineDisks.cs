using Microsoft.Extensions.Logging;
using Slipway.Disks;
using Slipway.Fleet.Boots;
using Slipway.Fleet.Machines;
using Slipway.Fleet.Store;
using Slipway.Iscsi.Target;
using Slipway.Server.Disks;
using Slipway.Server.Site;
using Slipway.Volumes.Store;

namespace Slipway.Server.Machines;

/// <summary>Opens machines' disks, and takes them away from who is logged in.</summary>
internal sealed partial class MachineDisks(CurrentSite current, MachineTargets targets, FleetStore store, BootTimelines timelines, ILogger logger)
{
    /// <summary>Who is logged in to a disk.</summary>
    public Func<MachineDisk, IReadOnlyList<LoginFacts>> SessionsOf { get; set; } = _ => [];

    /// <summary>Ends the sessions of a disk, for a reason.</summary>
    public Func<MachineDisk, string, Task> EndSessions { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>The served disk of a machine; null where it has none.</summary>
    public MachineDisk? Of(MacAddress mac) => targets.Of(mac);

    /// <summary>Opens a disk. Nobody can log in to it before <see cref="Serve"/>.</summary>
    /// <remarks>Where its volume cannot be opened, that is one of <see cref="IsFailure"/>.</remarks>
    public async Task<MachineDisk> OpenAsync(MachineSettings machine, CancellationToken cancellation) =>
        await MachineDisk.OpenAsync(machine, current.Value, timelines, store.CredentialsOf(machine.Name), cancellation);

    public void Serve(MachineDisk disk) => targets.Add(disk);

    /// <summary>Opens and serves a disk whose absence costs only its machine.</summary>
    public async Task TryServeAsync(MachineSettings machine, CancellationToken cancellation)
    {
        try
        {
            Serve(await OpenAsync(machine, cancellation));
        }
        catch (Exception e) when (IsFailure(e))
        {
            LogNoVolume(machine.Name, machine.Volume, e.Message);
        }
    }

    /// <summary>Nobody is logged in to it any more, and nobody can be.</summary>
    public async Task CloseAsync(MachineDisk disk)
    {
        targets.Remove(disk);
        await EndSessions(disk, $"{disk.Machine.Name} was removed");
        await disk.DisposeAsync();
    }

    /// <summary>Whether it is the volume that failed, and not this program.</summary>
    public static bool IsFailure(Exception e) =>
        e is BlockDeviceException or DiskFormatException or VolumeStoreException or IOException or UnauthorizedAccessException;

    [LoggerMessage(5004, LogLevel.Error, "machine {Name} has no disk: its volume {Volume} cannot be opened: {Reason}")]
    private partial void LogNoVolume(string name, string volume, string reason);
}
