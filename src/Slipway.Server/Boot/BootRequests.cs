using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
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
using Slipway.Server.Certificates;
using Slipway.Server.Disks;
using Slipway.Server.Https;
using Slipway.Server.Machines;
using Slipway.Server.Site;

namespace Slipway.Server.Boot;

/// <summary>
/// Gives each machine its own script, with fresh secrets, and hears that it is up. A machine is who its client certificate
/// says or, without one, who its address was leased to; whoever asks for another machine's script is refused, and who is
/// not approved waits.
/// </summary>
internal sealed partial class BootRequests(
    CurrentSite site, MachineDirectory machines, MachineTargets disks, FleetStore store, BootTimelines timelines, int iscsiPort,
    Func<MachineDisk, Task> endSessions, IApprovals approvals, ClientCertificates certificates, ILogger logger) : IMachineRequests
{
    /// <summary>In a path under a machine's: the files of a direct boot.</summary>
    public const string DirectFiles = "direct";

    // Which menu a machine was shown last: what it may choose.
    private readonly ConcurrentDictionary<MacAddress, MenuProfile> _menus = [];

    public bool AsksForCertificates => certificates.AreAskedFor;

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
                "the machine broke off the TLS handshake: its iPXE does not trust this site's CA (slipway firmware trust), or its clock is wrong"
                + (AsksForCertificates ? ", or it is of before April 2025 and has no client certificate" : ""));
        }
    }

    public async Task ScriptAsync(HttpContext context, string mac, string? firmware, string? profile)
    {
        if (await IdentifyAsync(context, mac) is not var (disk, certificate))
            return;
        var machine = disk.Machine;
        var known = firmware is null ? machine.Firmware : BootScript.FirmwareOf(firmware);
        switch (known)
        {
            case null:
                await RefuseAsync(context, StatusCodes.Status404NotFound, $"'{firmware}' is no firmware");
                break;
            case MachineFirmware.Detect:
                await SendAsync(context, BootScript.Detect(machine));
                break;
            default:
                await GiveScriptAsync(context, disk, known.Value, profile, certificate);
                break;
        }
    }

    public async Task DirectFileAsync(HttpContext context, string mac, string profile, string file)
    {
        if (await IdentifyAsync(context, mac) is not var (disk, _))
            return;
        var machine = disk.Machine;
        if (site.Value.BootProfiles.Find(profile) is not DirectProfile direct)
        {
            await RefuseAsync(context, StatusCodes.Status404NotFound, $"there is no direct profile '{profile}'");
            return;
        }
        try
        {
            if (ProfileScript.FileOf(await FilesOfAsync(disk, direct, context.RequestAborted), file) is not { } found)
            {
                await RefuseAsync(context, StatusCodes.Status404NotFound, $"a direct boot has no file '{file}'");
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

    /// <summary>The machine that asks, with its disk; null where it was refused, or waits.</summary>
    private async Task<(MachineDisk Disk, ClientCertificate? Certificate)?> IdentifyAsync(HttpContext context, string mac)
    {
        context.Response.Headers.CacheControl = "no-store";
        var client = context.Connection.RemoteIpAddress!;
        if (!MacAddress.TryParse(mac, null, out var asked))
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, $"'{mac}' is no Ethernet address");
            return null;
        }
        var proof = certificates.Examine(context.Connection.ClientCertificate);
        if (proof.Refusal is { } refusal)
        {
            await RefuseAsync(context, client, asked, refusal);
            return null;
        }
        if (proof.Certificate is { } certificate)
        {
            if (await ProvenAsync(certificate, asked, context.RequestAborted) is not { } proven)
            {
                await RefuseAsync(context, StatusCodes.Status403Forbidden, $"{certificate.Machine} cannot be approved: the server's log says why");
                return null;
            }
            asked = proven.Mac;
        }
        else if (!await MayAskAsync(context, client, asked))
        {
            return null;
        }
        if (disks.Of(asked) is not { } disk)
        {
            timelines.Refuse(asked, machines.NameOf(asked), BootStage.Script, "its volume could not be opened when the server started: the server's log says why");
            await RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, "the machine's volume cannot be opened");
            return null;
        }
        return (disk, proof.Certificate);
    }

    public async Task UpAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        var client = context.Connection.RemoteIpAddress!;
        if (machines.At(client) is not { } mac || machines.Find(mac) is not { } machine)
        {
            await RefuseAsync(context, StatusCodes.Status403Forbidden, $"no machine is known at {client}");
            return;
        }
        timelines.Observe(mac, machine.Name, BootStage.Up, $"{machine.Name} says that it is up");
        await context.Response.WriteAsync("welcome\n", context.RequestAborted);
    }

    /// <summary>The machine that a certificate is of, approved by it where it is not known yet; null where it cannot be.</summary>
    private async Task<MachineSettings?> ProvenAsync(ClientCertificate certificate, MacAddress asked, CancellationToken cancellation)
    {
        if (machines.Named(certificate.Machine) is { } known)
            return known;
        try
        {
            return ClientCertificates.ApprovalOf(certificate) is { } approval
                ? await approvals.ApproveByCertificateAsync(asked, certificate.Serial, approval.ToApproval(), cancellation)
                : throw new MachineRefusedException($"there is no machine {certificate.Machine} any more");
        }
        catch (MachineRefusedException e)
        {
            LogNotApproved(certificate.Serial, certificate.Machine, asked, e.Message);
            timelines.Refuse(asked, machines.NameOf(asked), BootStage.Script, $"it showed the client certificate of {certificate.Machine}, but {e.Message}");
            return null;
        }
    }

    /// <summary>Whether a machine without a certificate is who it says it is, by its address; what it is told where not has been sent.</summary>
    private async Task<bool> MayAskAsync(HttpContext context, IPAddress client, MacAddress asked)
    {
        if (machines.At(client) is not { } asking)
        {
            LogRefused(client, asked, "this server knows no machine at that address");
            await RefuseAsync(context, StatusCodes.Status403Forbidden, $"no machine is known at {client}");
            return false;
        }
        if (asking != asked)
        {
            // Told of the machine that asks: the one that it asks for has done nothing.
            LogRefused(client, asked, $"the address belongs to {asking}");
            timelines.Refuse(asking, machines.NameOf(asking), BootStage.Script, $"it asked for the script of {asked}, which is another machine");
            await RefuseAsync(context, StatusCodes.Status403Forbidden, $"{client} is not {asked}");
            return false;
        }
        if (machines.Find(asked) is null && !await approvals.ApproveByRuleAsync(asked, context.RequestAborted))
        {
            Wait(client, asked);
            await SendAsync(context, BootScript.Wait(asked));
            return false;
        }
        if (machines.Find(asked) is { } machine && certificates.AreRequiredOf(machine))
        {
            await RefuseAsync(context, client, asked, $"{machine.Name} boots with its client certificate only, and showed none (slipway firmware media --machine {machine.Name})");
            return false;
        }
        return true;
    }

    /// <summary>Refuses for want of a certificate that counts, and says so in the timeline of whoever has the address.</summary>
    private async Task RefuseAsync(HttpContext context, IPAddress client, MacAddress asked, string reason)
    {
        LogRefused(client, asked, reason);
        if (machines.At(client) is { } asking)
            timelines.Refuse(asking, machines.NameOf(asking), BootStage.Script, reason);
        await RefuseAsync(context, StatusCodes.Status403Forbidden, reason);
    }

    // It asks again every few seconds: that is told once.
    private void Wait(IPAddress client, MacAddress machine)
    {
        var reason = $"{machine} is not registered: approve it (slipway machine approve {machine}), or add it to machines in slipway.yaml";
        if (timelines.Of(machine)?.Refusal?.Text == reason)
            return;
        LogRefused(client, machine, "no such machine is registered; it waits");
        timelines.Refuse(machine, machine.ToString(), BootStage.Script, reason);
    }

    private async Task GiveScriptAsync(HttpContext context, MachineDisk disk, MachineFirmware firmware, string? chosen, ClientCertificate? certificate)
    {
        var machine = disk.Machine;
        if (ProfileFor(machine, chosen) is not { } profile)
        {
            await RefuseAsync(context, StatusCodes.Status404NotFound, $"'{chosen}' is in no menu of {machine.Name}");
            return;
        }
        switch (profile)
        {
            case MenuProfile menu:
                await AskAsync(context, machine, firmware, menu);
                break;
            case LocalProfile:
                timelines.Leave(machine.Mac, machine.Name, BootStage.Script, "has its script: it boots what is in it", FactsOf(profile));
                await SendAsync(context, ProfileScript.Local(machine));
                break;
            default:
                await GiveDiskAsync(context, disk, firmware, profile, certificate);
                break;
        }
    }

    /// <summary>What a machine boots now: what it chose, else what its next boot was to be, else its profile; null where it may not choose that.</summary>
    private BootProfile? ProfileFor(MachineSettings machine, string? chosen)
    {
        var profiles = site.Value.BootProfiles;
        if (chosen is not null)
        {
            var offered = _menus.GetValueOrDefault(machine.Mac) ?? profiles.Find(machine.Profile) as MenuProfile;
            return offered is not null && offered.Entries.Contains(chosen) ? profiles.Find(chosen) : null;
        }
        if (store.BootOnce(machine.Mac) is { } once)
        {
            store.SetBootOnce(machine.Mac, null);
            if (profiles.Find(once) is { } next)
                return next;
            LogNoProfile(machine.Name, once);
        }
        if (profiles.Find(machine.Profile) is { } profile)
            return profile;
        LogNoProfile(machine.Name, machine.Profile);
        return profiles.Find(BootProfiles.Default);
    }

    private async Task AskAsync(HttpContext context, MachineSettings machine, MachineFirmware firmware, MenuProfile menu)
    {
        _menus[machine.Mac] = menu;
        timelines.Wait(machine.Mac, machine.Name, BootStage.Script,
            $"shows the menu {menu.Name}: {string.Join(", ", menu.Entries)}{(menu.Timeout is { } time ? string.Create(CultureInfo.InvariantCulture, $"; {menu.Default} after {time.TotalSeconds:0} s") : "")}",
            menu.Timeout, FactsOf(menu));
        await SendAsync(context, ProfileScript.Menu(machine, firmware, menu, site.Value.BootProfiles));
    }

    private async Task GiveDiskAsync(HttpContext context, MachineDisk disk, MachineFirmware firmware, BootProfile profile, ClientCertificate? certificate)
    {
        var machine = disk.Machine;
        var credentials = BootCredentials.Create(machine.Name);
        var facts = new ScriptFacts(machine, firmware, disk.Names, site.Value.SecretsInScript?.Invoke(credentials) ?? credentials,
            StoragePortal.Of(site.Value, LocalAddress(context), iscsiPort), new UriBuilder("https", LocalAddress(context).ToString(), context.Connection.LocalPort).Uri);
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
        // iPXE's iBFT (as of 2.0) has the first four bytes of an IPv6 address where an IPv4 one belongs.
        var way = !facts.HasIbft ? "kernel arguments"
            : facts.Portals[0].EndPoint.AddressFamily == AddressFamily.InterNetworkV6 ? "iBFT, in which iPXE has room for IPv4 only: the system must know its disk otherwise, or the machine boot by IPv4"
            : "iBFT";
        var portals = string.Join(" and ", facts.Portals.Select(p => p.EndPoint));
        timelines.Observe(machine.Mac, machine.Name, BootStage.Script,
            $"has its script{(profile.Name == BootProfiles.Default ? "" : $" ({profile.Name})")}: disk {disk.Names.Target} at {portals}, told to the kernel by {way}{(certificate is null ? "" : $"; it showed its certificate {certificate.Serial}")}",
            new Dictionary<string, string>(FactsOf(profile)) { ["target"] = disk.Names.Target, ["portal"] = portals, ["firmware"] = firmware.ToString().ToLowerInvariant() });
        await SendAsync(context, script);
    }

    private static Task<BootFiles> FilesOfAsync(MachineDisk disk, DirectProfile profile, CancellationToken cancellation) => profile.Kernel is { } kernel
        ? BootFiles.FindAsync(disk.Volume, kernel, profile.Initrds, cancellation)
        : BootFiles.FindAsync(disk.Volume, cancellation);

    private static Dictionary<string, string> FactsOf(BootProfile profile) => new() { ["profile"] = profile.Name };

    private Task VolumeFailedAsync(HttpContext context, MachineSettings machine, string reason)
    {
        LogVolumeFailed(machine.Name, reason);
        timelines.Refuse(machine.Mac, machine.Name, BootStage.Script, $"its volume cannot be prepared: {reason}");
        return RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, "the machine's volume cannot be prepared");
    }

    private static async Task SendAsync(HttpContext context, IpxeScript script)
    {
        var bytes = script.ToBytes();
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.ContentLength = bytes.Length;
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
    }

    /// <summary>Where the machine reached this server.</summary>
    private static IPAddress LocalAddress(HttpContext context) =>
        context.Connection.LocalIpAddress is { IsIPv4MappedToIPv6: true } mapped ? mapped.MapToIPv4() : context.Connection.LocalIpAddress!;

    private static Task RefuseAsync(HttpContext context, int status, string reason)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(reason + "\n", context.RequestAborted);
    }

    [LoggerMessage(3001, LogLevel.Warning, "https: {Client} broke off the TLS handshake")]
    private partial void LogHandshakeBrokenOff(IPAddress client);

    [LoggerMessage(3002, LogLevel.Warning, "https: {Client} asked for the script of {Machine}, refused: {Reason}")]
    private partial void LogRefused(IPAddress client, MacAddress machine, string reason);

    [LoggerMessage(3006, LogLevel.Warning, "https: {Machine} showed the client certificate {Serial} of {Name}, but {Reason}")]
    private partial void LogNotApproved(string serial, string name, MacAddress machine, string reason);

    [LoggerMessage(3003, LogLevel.Warning, "boot: the volume of {Machine} has no {File}: under U-Boot its kernel learns nothing of its disk")]
    private partial void LogNoEnvironment(string machine, string file);

    [LoggerMessage(3007, LogLevel.Warning, "boot: {Machine} is to boot the profile {Profile}, which is not there any more")]
    private partial void LogNoProfile(string machine, string profile);

    [LoggerMessage(3004, LogLevel.Error, "boot: the volume of {Machine} cannot be prepared: {Reason}")]
    private partial void LogVolumeFailed(string machine, string reason);
}
