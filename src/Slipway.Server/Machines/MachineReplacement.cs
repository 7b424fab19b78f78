using Microsoft.Extensions.Logging;
using Slipway.Fleet.Store;
using Slipway.Server.Disks;
using Slipway.Server.Site;

namespace Slipway.Server.Machines;

/// <summary>
/// Puts the machines of another site in the place of all that there are, or leaves everything as it was. What can be tried
/// without anybody's noticing comes first.
/// </summary>
internal sealed partial class MachineReplacement(MachineDirectory directory, MachineDisks disks, FleetStore store, ILogger logger)
{
    /// <inheritdoc cref="MachineRegistry.ReplaceAsync"/>
    public async Task RunAsync(SiteConfiguration site, Action commit, CancellationToken cancellation)
    {
        var before = directory.All.ToDictionary(m => m.Mac);
        var fresh = site.Machines.Where(m => before.GetValueOrDefault(m.Mac) is not { } old || !HasSameDisk(old, m) || disks.Of(m.Mac) is null).ToList();
        var staying = site.Machines.Except(fresh).Select(m => m.Mac).ToHashSet();
        var going = before.Values.Where(m => !staying.Contains(m.Mac)).ToList();
        var opened = await ExchangeAsync(fresh, going, commit, cancellation);
        foreach (var machine in going)
            directory.Remove(machine.Mac);
        foreach (var machine in site.Machines)
        {
            directory.Add(machine);
            disks.Of(machine.Mac)?.Update(machine);
        }
        foreach (var disk in opened)
            disks.Serve(disk);
        foreach (var registration in store.Machines())
        {
            if (directory.Find(registration.Mac)?.Name == registration.Name)
                store.Unregister(registration.Mac);
            else
                store.Remove(registration);
        }
        LogReplaced(fresh.Count, going.Count, staying.Count);
    }

    /// <summary>Opens the disks that come and closes those that go.</summary>
    private async Task<List<MachineDisk>> ExchangeAsync(List<MachineSettings> fresh, List<MachineSettings> going, Action commit, CancellationToken cancellation)
    {
        var held = going.Select(m => m.Volume).ToHashSet();
        var (opened, closed) = (new List<MachineDisk>(), new List<MachineSettings>());
        var committed = false;
        try
        {
            foreach (var machine in fresh.Where(m => !held.Contains(m.Volume)))
                opened.Add(await disks.OpenAsync(machine, cancellation));
            foreach (var machine in going)
            {
                if (disks.Of(machine.Mac) is not { } disk)
                    continue;
                closed.Add(machine);
                await disks.CloseAsync(disk);
            }
            foreach (var machine in fresh.Where(m => held.Contains(m.Volume)))
                opened.Add(await disks.OpenAsync(machine, cancellation));
            commit();
            committed = true;
            return opened;
        }
        catch (Exception e) when (MachineDisks.IsFailure(e))
        {
            throw new MachineRefusedException($"{e.Message}. Nothing was changed", e);
        }
        finally
        {
            if (!committed)
                await RestoreAsync(opened, closed);
        }
    }

    private async Task RestoreAsync(List<MachineDisk> opened, List<MachineSettings> closed)
    {
        foreach (var disk in opened)
            await disk.DisposeAsync();
        foreach (var machine in closed)
            await disks.TryServeAsync(machine, CancellationToken.None);
    }

    private static bool HasSameDisk(MachineSettings one, MachineSettings other) =>
        one.Name == other.Name && one.Volume == other.Volume && one.Trace == other.Trace && one.Faults.SequenceEqual(other.Faults);

    [LoggerMessage(5006, LogLevel.Information, "another site was applied: {Fresh} machines came or changed their disk, {Going} went, {Staying} stay")]
    private partial void LogReplaced(int fresh, int going, int staying);
}
