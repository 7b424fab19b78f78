using Microsoft.Extensions.Logging;
using Slipway.Dhcp.Networks;
using Slipway.Fleet.Boots;
using Slipway.Fleet.Machines;
using Slipway.Fleet.Store;
using Slipway.Iscsi.Target;
using Slipway.Server.Disks;
using Slipway.Server.Site;
using Slipway.Volumes.Store;

namespace Slipway.Server.Machines;

/// <summary>
/// Which machines there are, while the server runs: those of the site's file, which only the file changes, and those that
/// were approved since, which the database keeps. An approval or removal happens whole or not at all; one at a time.
/// </summary>
internal sealed partial class MachineRegistry(
    CurrentSite current, MachineDirectory directory, MachineDisks disks, MachineSightings sightings, FleetStore store,
    BootTimelines timelines, TimeProvider clock, ILogger logger) : IApprovals, IAsyncDisposable
{
    private const string ByOperator = "an operator";

    private readonly SemaphoreSlim _one = new(1);
    private readonly VolumeStore _volumes = new(current.Value.State);
    private readonly ApprovalCheck _check = new(current, directory);
    private readonly MachineReplacement _replacement = new(directory, disks, store, logger);

    /// <summary>Takes the networks with their reservations, when a machine with an address of its own comes or goes.</summary>
    public Action<IReadOnlyList<DhcpNetwork>> NetworksChanged { get; set; } = _ => { };

    /// <summary>Opens the disks of all machines. Those of the site's file must be there; another's absence costs only that machine.</summary>
    /// <exception cref="SiteConfigurationException">A volume of the site's file cannot be opened.</exception>
    public async Task OpenAsync(CancellationToken cancellation)
    {
        foreach (var machine in current.Value.Machines)
        {
            try
            {
                disks.Serve(await disks.OpenAsync(machine, cancellation));
            }
            catch (Exception e) when (MachineDisks.IsFailure(e))
            {
                throw new SiteConfigurationException($"machine {machine.Name}: its volume {machine.Volume} cannot be opened: {e.Message}", e);
            }
        }
        foreach (var machine in store.Machines())
        {
            if (directory.Find(machine.Mac) is not null || directory.Named(machine.Name) is not null)
            {
                LogInFile(machine.Name, machine.Mac);
                continue;
            }
            directory.Add(SettingsOf(machine));
            await disks.TryServeAsync(SettingsOf(machine), cancellation);
        }
    }

    /// <summary>The machines that were approved, beside those of the site's file.</summary>
    public IReadOnlyDictionary<MacAddress, RegisteredMachine> Registrations() => store.Machines().ToDictionary(m => m.Mac);

    /// <summary>Makes a machine known, with its disk.</summary>
    /// <exception cref="MachineRefusedException">It cannot be; nothing changed.</exception>
    public async Task<MachineSettings> ApproveAsync(MacAddress mac, Approval approval, CancellationToken cancellation)
    {
        using var turn = await TurnAsync(cancellation);
        return await RegisterAsync(mac, approval, ByOperator, cancellation);
    }

    /// <summary>Approves a machine that a rule fits. False where there is none, or what the rule says cannot be done.</summary>
    public async Task<bool> ApproveByRuleAsync(MacAddress mac, CancellationToken cancellation)
    {
        var site = current.Value;
        if (site.Approve.Count == 0 || sightings.Of(mac) is not { } sighting || site.Approve.FirstOrDefault(r => r.Fits(sighting)) is not { } rule)
            return false;
        using var turn = await TurnAsync(cancellation);
        try
        {
            // iPXE asks again when it is kept waiting.
            if (directory.Find(mac) is null)
            {
                await RegisterAsync(mac, new Approval(rule.NameFor(mac), Image: rule.Image, Policy: rule.Policy, Firmware: rule.Firmware, Profile: rule.Profile),
                    $"a rule for {rule.Mac ?? rule.Network ?? rule.Architecture}", cancellation);
            }
            return true;
        }
        catch (MachineRefusedException e)
        {
            LogRuleFailed(mac, e.Message);
            timelines.Refuse(mac, mac.ToString(), BootStage.Script, $"a rule approves it, but {e.Message}");
            return false;
        }
    }

    /// <summary>Approves a machine as what its client certificate says.</summary>
    /// <exception cref="MachineRefusedException">It cannot be; nothing changed.</exception>
    public async Task<MachineSettings> ApproveByCertificateAsync(MacAddress mac, string serial, Approval approval, CancellationToken cancellation)
    {
        using var turn = await TurnAsync(cancellation);
        return directory.Named(approval.Name) ?? await RegisterAsync(mac, approval, $"the client certificate {serial}", cancellation);
    }

    /// <summary>Forgets a machine, its secrets and its certificates, and ends its sessions. Its volume stays.</summary>
    /// <exception cref="MachineRefusedException">It is one of the site's file, or unknown.</exception>
    public async Task RemoveAsync(MacAddress mac, CancellationToken cancellation)
    {
        using var turn = await TurnAsync(cancellation);
        if (!Registrations().TryGetValue(mac, out var machine))
        {
            if (directory.Find(mac) is { } known)
                throw new MachineRefusedException($"{known.Name} is in the site's file: take it out there and start the server anew, or out of what slipway export prints, for slipway apply");
            if (!sightings.Forget(mac))
                throw new MachineRefusedException($"there is no machine {mac}");
            return;
        }
        store.Remove(machine);
        directory.Remove(mac);
        if (disks.Of(mac) is { } disk)
            await disks.CloseAsync(disk);
        if (machine.Address is not null)
            NetworksChanged(SiteNetworks.Of(current.Value with { Machines = directory.All }));
        LogRemoved(machine.Name, mac);
    }

    /// <summary>Who is logged in to a machine's disk; nobody where there is no such machine.</summary>
    public IReadOnlyList<LoginFacts> SessionsOfMachine(string name) =>
        directory.Named(name) is { } machine && disks.Of(machine.Mac) is { } disk ? disks.SessionsOf(disk) : [];

    /// <summary>Takes a machine's disk from who has it: its sessions end, and with its secrets forgotten nobody logs in before its next script.</summary>
    /// <param name="name">Where there is no such machine nothing happens.</param>
    public async Task CutOffAsync(string name, string reason, CancellationToken cancellation)
    {
        using var turn = await TurnAsync(cancellation);
        if (directory.Named(name) is not { } machine || disks.Of(machine.Mac) is not { } disk)
            return;
        store.ForgetCredentials(name);
        disk.ForgetCredentials();
        if (timelines.Of(machine.Mac) is { } boot)
            timelines.Observe(machine.Mac, name, boot.Stage, $"is cut off from its disk: {reason}");
        LogCutOff(name, machine.Mac, reason);
        await disks.EndSessions(disk, reason);
    }

    /// <summary>
    /// Puts the machines of another site in the place of all that there are, those that were approved included. Sessions of
    /// machines whose disk stays go on.
    /// </summary>
    /// <param name="commit">Called when every disk is open; where it throws, all is as before.</param>
    /// <exception cref="MachineRefusedException">A volume cannot be opened; all is as before, but for sessions of machines that were to go.</exception>
    public async Task ReplaceAsync(SiteConfiguration site, Action commit, CancellationToken cancellation)
    {
        using var turn = await TurnAsync(cancellation);
        await _replacement.RunAsync(site, commit, cancellation);
    }

    /// <summary>What the next boot of a machine is to be, and that one only; null: as all are.</summary>
    /// <exception cref="MachineRefusedException">The machine is not approved, or there is no such profile.</exception>
    public void BootOnce(MacAddress mac, string? profile)
    {
        if (directory.Find(mac) is null)
            throw new MachineRefusedException($"{mac} is not approved: it boots nothing");
        if (profile is not null)
            _check.CheckProfile(profile);
        store.SetBootOnce(mac, profile);
    }

    /// <summary>The profile of a machine's next boot; null where that is as all are.</summary>
    public string? BootOnceOf(MacAddress mac) => store.BootOnce(mac);

    public async ValueTask DisposeAsync()
    {
        foreach (var machine in directory.All)
        {
            if (disks.Of(machine.Mac) is { } disk)
                await disk.DisposeAsync();
        }
        _one.Dispose();
    }

    /// <summary>Until it is disposed nobody else changes what machines there are.</summary>
    private async Task<Turn> TurnAsync(CancellationToken cancellation)
    {
        await _one.WaitAsync(cancellation);
        return new Turn(_one);
    }

    private async Task<MachineSettings> RegisterAsync(MacAddress mac, Approval approval, string by, CancellationToken cancellation)
    {
        _check.Check(mac, approval);
        var machine = new RegisteredMachine(mac, approval.Name, approval.Volume ?? approval.Name, approval.Firmware, approval.Address, by, clock.GetUtcNow(), approval.Profile);
        var settings = SettingsOf(machine);
        var networks = _check.NetworksWith(settings);
        var cloned = false;
        MachineDisk? disk = null;
        var registered = false;
        try
        {
            if (approval.Image is { } image)
            {
                await _volumes.CloneAsync(machine.Volume, _volumes.Images.Find(image), new VolumeSettings(approval.Policy, machine.Name), cancellation);
                cloned = true;
            }
            disk = await disks.OpenAsync(settings, cancellation);
            store.Add(machine);
            registered = true;
        }
        catch (Exception e) when (MachineDisks.IsFailure(e))
        {
            throw new MachineRefusedException(e.Message, e);
        }
        finally
        {
            if (!registered)
            {
                if (disk is not null)
                    await disk.DisposeAsync();
                if (cloned)
                    _volumes.Remove(machine.Volume);
            }
        }
        directory.Add(settings);
        disks.Serve(disk);
        if (machine.Address is not null)
            NetworksChanged(networks);
        if (timelines.Of(mac) is { Outcome: not BootOutcome.Up } waiting)
            timelines.Observe(mac, machine.Name, waiting.Stage, $"is approved as {machine.Name} by {by}");
        LogApproved(machine.Name, mac, by, machine.Volume);
        return settings;
    }

    private static MachineSettings SettingsOf(RegisteredMachine machine) => new()
    {
        Name = machine.Name,
        Mac = machine.Mac,
        Volume = machine.Volume,
        Firmware = machine.Firmware,
        Profile = machine.Profile,
        Address = machine.Address,
    };

    [LoggerMessage(5001, LogLevel.Information, "machine {Name} ({Mac}) approved by {By}, with the volume {Volume}")]
    private partial void LogApproved(string name, MacAddress mac, string by, string volume);

    [LoggerMessage(5002, LogLevel.Information, "machine {Name} ({Mac}) removed; its volume stays")]
    private partial void LogRemoved(string name, MacAddress mac);

    [LoggerMessage(5007, LogLevel.Warning, "machine {Name} ({Mac}) is cut off from its disk: {Reason}")]
    private partial void LogCutOff(string name, MacAddress mac, string reason);

    [LoggerMessage(5003, LogLevel.Warning, "machine {Name} ({Mac}) was approved, and is in the site's file now: the file decides")]
    private partial void LogInFile(string name, MacAddress mac);

    [LoggerMessage(5005, LogLevel.Error, "a rule approves {Mac}, but {Reason}")]
    private partial void LogRuleFailed(MacAddress mac, string reason);

    private readonly record struct Turn(SemaphoreSlim One) : IDisposable
    {
        public void Dispose() => One.Release();
    }
}
