using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Slipway.Fleet.Boots;
using Slipway.Fleet.Credentials;
using Slipway.Fleet.Machines;
using Slipway.Server.Boot.Scripts;
using Slipway.Server.Certificates;
using Slipway.Server.Disks;
using Slipway.Server.Machines;
using Slipway.Server.Site;

namespace Slipway.Server.Boot;

/// <summary>
/// Who asks. A machine is who its client certificate says or, without one, who its address was leased to; whoever asks for
/// another machine's script is refused, and who is not approved waits.
/// </summary>
internal sealed partial class BootRequesters(
    MachineDirectory machines, MachineTargets disks, BootTimelines timelines, IApprovals approvals, ClientCertificates certificates, ILogger logger)
{
    public bool AreAskedForCertificates => certificates.AreAskedFor;

    /// <summary>The machine that asks, with its disk; null where it was refused, or waits.</summary>
    public async Task<(MachineDisk Disk, ClientCertificate? Certificate)?> IdentifyAsync(HttpContext context, string mac)
    {
        context.Response.Headers.CacheControl = "no-store";
        var client = context.Connection.RemoteIpAddress!;
        if (!MacAddress.TryParse(mac, null, out var asked))
        {
            await context.RefuseAsync(StatusCodes.Status400BadRequest, $"'{mac}' is no Ethernet address");
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
                await context.RefuseAsync(StatusCodes.Status403Forbidden, $"{certificate.Machine} cannot be approved: the server's log says why");
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
            await context.RefuseAsync(StatusCodes.Status503ServiceUnavailable, "the machine's volume cannot be opened");
            return null;
        }
        return (disk, proof.Certificate);
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
            await context.RefuseAsync(StatusCodes.Status403Forbidden, $"no machine is known at {client}");
            return false;
        }
        if (asking != asked)
        {
            // Told of the machine that asks: the one that it asks for has done nothing.
            LogRefused(client, asked, $"the address belongs to {asking}");
            timelines.Refuse(asking, machines.NameOf(asking), BootStage.Script, $"it asked for the script of {asked}, which is another machine");
            await context.RefuseAsync(StatusCodes.Status403Forbidden, $"{client} is not {asked}");
            return false;
        }
        if (machines.Find(asked) is null && !await approvals.ApproveByRuleAsync(asked, context.RequestAborted))
        {
            Wait(client, asked);
            await context.SendAsync(BootScript.Wait(asked));
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
        await context.RefuseAsync(StatusCodes.Status403Forbidden, reason);
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

    [LoggerMessage(3002, LogLevel.Warning, "https: {Client} asked for the script of {Machine}, refused: {Reason}")]
    private partial void LogRefused(IPAddress client, MacAddress machine, string reason);

    [LoggerMessage(3006, LogLevel.Warning, "https: {Machine} showed the client certificate {Serial} of {Name}, but {Reason}")]
    private partial void LogNotApproved(string serial, string name, MacAddress machine, string reason);
}
