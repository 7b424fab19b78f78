using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Slipway.Disks.Booting;
using Slipway.Disks.FileSystems;
using Slipway.Fleet.Boots;
using Slipway.Fleet.Credentials;
using Slipway.Fleet.Machines;
using Slipway.Fleet.Profiles;
using Slipway.Fleet.Store;
using Slipway.Ipxe.Scripts;
using Slipway.Server.Boot.Scripts;
using Slipway.Server.Disks;
using Slipway.Server.Https;
using Slipway.Server.Machines;
using Slipway.Server.Site;

namespace Slipway.Server.Boot;

/// <summary>
/// Gives each machine its own script, with fresh secrets, and hears that it is up.
/// </summary>
internal sealed partial class BootRequests(
    CurrentSite site, MachineDirectory machines, BootRequesters requesters, FleetStore store, BootTimelines timelines, int iscsiPort,
    Func<MachineDisk, Task> endSessions, ILogger logger) : IMachineRequests
{
    /// <summary>In a path under a machine's: the files of a direct boot.</summary>
    public const string DirectFiles = "direct";

    private readonly ProfileChoice _choice = new(site, store, logger);

    public bool AsksForCertificates => requesters.AreAskedForCertificates;

    public void HandshakeDone(IPAddress client, ITlsHandshakeFeature tls)
    {
        if (machines.At(client) is not { } mac || timelines.Of(mac) is not { Outcome: BootOutcome.Running } boot || boot.Stage > BootStage.Script)
            return;
        var (version, suite) = (tls.Protocol.ToString(), tls.NegotiatedCipherSuite?.ToString() ?? "");
        timelines.Observe(mac, machines.NameOf(mac), BootStage.Script, $"is connected by TLS {version.Replace("Tls1", "1.", StringComparison.Ordinal)}, {suite}",
            new Dictionary<string, string> { ["tls"] = version, ["suite"] = suite });
    }

    public void HandshakeBrokenOff(IPAddress client)
    {
        LogHandshakeBrokenOff(client);
        if (machines.At(client) is { } mac && timelines.Of(mac) is { Outcome: BootOutcome.Running, Stage: <= BootStage.Script })
        {
            timelines.Refuse(mac, machines.NameOf(mac), BootStage.Script,
                "the machine broke off the TLS handshake: its iPXE does not trust this site's CA (slipway firmware trust), or its clock is wrong (slipway explain SLP1003)"
                + (AsksForCertificates ? ", or it is of before April 2025 and has no client certificate" : ""));
        }
    }

    public async Task ScriptAsync(HttpContext context, string mac, string? firmware, string? profile)
    {
        if (await requesters.IdentifyAsync(context, mac) is not var (disk, certificate))
            return;
        var machine = disk.Machine;
        var known = firmware is null ? machine.Firmware : BootScript.FirmwareOf(firmware);
        switch (known)
        {
            case null:
                await context.RefuseAsync(StatusCodes.Status404NotFound, $"'{firmware}' is no firmware");
                break;
            case MachineFirmware.Detect:
                await context.SendAsync(BootScript.Detect(machine));
                break;
            default:
                await GiveScriptAsync(context, disk, known.Value, profile, certificate);
                break;
        }
    }

    public async Task DirectFileAsync(HttpContext context, string mac, string profile, string file)
    {
        if (await requesters.IdentifyAsync(context, mac) is not var (disk, _))
            return;
        var machine = disk.Machine;
        if (site.Value.BootProfiles.Find(profile) is not DirectProfile direct)
        {
            await context.RefuseAsync(StatusCodes.Status404NotFound, $"there is no direct profile '{profile}'");
            return;
        }
        try
        {
            if (ProfileScript.FileOf(await FilesOfAsync(disk, direct, context.RequestAborted), file) is not { } found)
            {
                await context.RefuseAsync(StatusCodes.Status404NotFound, $"a direct boot has no file '{file}'");
                return;
            }
            if (HttpMethods.IsGet(context.Request.Method))
            {
                timelines.Observe(machine.Mac, machine.Name, BootStage.Kernel, string.Create(CultureInfo.InvariantCulture, $"fetches {found.Path} of its volume, {found.Entry.Length:N0} bytes by HTTPS"),
                    new Dictionary<string, string> { ["file"] = found.Path });
            }
            await Results.Stream(await FileContentStream.OpenAsync(found.FileSystem, found.Entry, context.RequestAborted), "application/octet-stream", enableRangeProcessing: true).ExecuteAsync(context);
        }
        catch (IOException e) when (!context.Response.HasStarted)
        {
            await VolumeFailedAsync(context, machine, e.Message);
        }
    }

    public async Task UpAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        var client = context.Connection.RemoteIpAddress!;
        if (machines.At(client) is not { } mac || machines.Find(mac) is not { } machine)
        {
            await context.RefuseAsync(StatusCodes.Status403Forbidden, $"no machine is known at {client}");
            return;
        }
        timelines.Observe(mac, machine.Name, BootStage.Up, $"{machine.Name} says that it is up");
        await context.Response.WriteAsync("welcome\n", context.RequestAborted);
    }

    private async Task GiveScriptAsync(HttpContext context, MachineDisk disk, MachineFirmware firmware, string? chosen, ClientCertificate? certificate)
    {
        var machine = disk.Machine;
        if (_choice.Of(machine, chosen) is not { } profile)
        {
            await context.RefuseAsync(StatusCodes.Status404NotFound, $"'{chosen}' is in no menu of {machine.Name}");
            return;
        }
        switch (profile)
        {
            case MenuProfile menu:
                await AskAsync(context, machine, firmware, menu);
                break;
            case LocalProfile:
                timelines.Leave(machine.Mac, machine.Name, BootStage.Script, "has its script: it boots what is in it", FactsOf(profile));
                await context.SendAsync(ProfileScript.Local(machine));
                break;
            default:
                await GiveDiskAsync(context, disk, firmware, profile, certificate);
                break;
        }
    }

    private async Task AskAsync(HttpContext context, MachineSettings machine, MachineFirmware firmware, MenuProfile menu)
    {
        _choice.Offer(machine, menu);
        timelines.Wait(machine.Mac, machine.Name, BootStage.Script,
            $"shows the menu {menu.Name}: {string.Join(", ", menu.Entries)}{(menu.Timeout is { } time ? string.Create(CultureInfo.InvariantCulture, $"; {menu.Default} after {time.TotalSeconds:0} s") : "")}",
            menu.Timeout, FactsOf(menu));
        await context.SendAsync(ProfileScript.Menu(machine, firmware, menu, site.Value.BootProfiles));
    }

    private async Task GiveDiskAsync(HttpContext context, MachineDisk disk, MachineFirmware firmware, BootProfile profile, ClientCertificate? certificate)
    {
        var machine = disk.Machine;
        var credentials = BootCredentials.Create(machine.Name);
        var facts = new ScriptFacts(machine, firmware, disk.Names, site.Value.SecretsInScript?.Invoke(credentials) ?? credentials,
            ClientAt(context.Connection.RemoteIpAddress!), StoragePortal.Of(site.Value, LocalAddress(context), iscsiPort), new UriBuilder("https", LocalAddress(context).ToString(), context.Connection.LocalPort).Uri);
        IpxeScript script;
        try
        {
            store.Save(machine.Name, credentials);
            // A machine that starts anew holds no disk: what is left of its last run could still write.
            if (!await disk.BeginAsync(credentials, facts.KernelArguments, () => endSessions(disk), context.RequestAborted) && profile is SanBootProfile && !facts.HasIbft)
                LogNoEnvironment(machine.Name, GrubEnvironment.FilePath);
            script = profile switch
            {
                DirectProfile direct => ProfileScript.Direct(facts, direct, await FilesOfAsync(disk, direct, context.RequestAborted)),
                ScriptProfile own => ProfileScript.Custom(facts, own),
                _ => ProfileScript.SanBoot(facts),
            };
        }
        catch (Exception e) when (e is IOException or ArgumentException)
        {
            await VolumeFailedAsync(context, machine, e.Message);
            return;
        }
        var way = facts.HasIbft ? "iBFT" : "kernel arguments";
        var portals = string.Join(" and ", facts.Portals.Select(p => p.EndPoint));
        timelines.Observe(machine.Mac, machine.Name, BootStage.Script,
            $"has its script{(profile.Name == BootProfiles.Default ? "" : $" ({profile.Name})")}: disk {disk.Names.Target} at {portals}, told to the kernel by {way}{(certificate is null ? "" : $"; it showed its certificate {certificate.Serial}")}",
            new Dictionary<string, string>(FactsOf(profile)) { ["target"] = disk.Names.Target, ["portal"] = portals, ["firmware"] = firmware.ToString().ToLowerInvariant() });
        await context.SendAsync(script);
    }

    private static Task<BootFiles> FilesOfAsync(MachineDisk disk, DirectProfile profile, CancellationToken cancellation) => profile.Kernel is { } kernel
        ? BootFiles.FindAsync(disk.Volume, kernel, profile.Initrds, cancellation)
        : BootFiles.FindAsync(disk.Volume, cancellation);

    private static Dictionary<string, string> FactsOf(BootProfile profile) => new() { ["profile"] = profile.Name };

    private Task VolumeFailedAsync(HttpContext context, MachineSettings machine, string reason)
    {
        LogVolumeFailed(machine.Name, reason);
        timelines.Refuse(machine.Mac, machine.Name, BootStage.Script, $"its volume cannot be prepared: {reason}");
        return context.RefuseAsync(StatusCodes.Status503ServiceUnavailable, "the machine's volume cannot be prepared");
    }

    /// <summary>An address with the length of its subnet, if that is an IPv6 one of this site.</summary>
    private (IPAddress Address, int PrefixLength) ClientAt(IPAddress client)
    {
        // Of an address that is none of this site's, nothing but the router says which others are on its link.
        const int Alone = 128;
        var subnets = site.Value.Networks.SelectMany(n => n.Ipv6?.Subnets ?? []).Where(s => s.Contains(client));
        return (client, subnets.Select(s => s.PrefixLength).FirstOrDefault(Alone));
    }

    /// <summary>Where the machine reached this server.</summary>
    private static IPAddress LocalAddress(HttpContext context) =>
        context.Connection.LocalIpAddress is { IsIPv4MappedToIPv6: true } mapped ? mapped.MapToIPv4() : context.Connection.LocalIpAddress!;

    [LoggerMessage(3001, LogLevel.Warning, "https: {Client} broke off the TLS handshake")]
    private partial void LogHandshakeBrokenOff(IPAddress client);

    [LoggerMessage(3003, LogLevel.Warning, "boot: the volume of {Machine} has no {File}: under U-Boot, and by IPv6, its kernel learns nothing of its disk")]
    private partial void LogNoEnvironment(string machine, string file);

    [LoggerMessage(3004, LogLevel.Error, "boot: the volume of {Machine} cannot be prepared: {Reason}")]
    private partial void LogVolumeFailed(string machine, string reason);
}
