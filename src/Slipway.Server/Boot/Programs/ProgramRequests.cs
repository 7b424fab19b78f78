using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;
using Slipway.Fleet.Boots;
using Slipway.Server.Machines;

namespace Slipway.Server.Boot.Programs;

/// <summary>
/// This site's iPXE by HTTP, for UEFI HTTP Boot (UEFI 2.10 §24.7): the firmware asks for the size with HEAD, then for the
/// file, some of it in ranges. What TFTP serves to everybody is no secret here either.
/// </summary>
internal sealed partial class ProgramRequests(BootPrograms programs, MachineDirectory machines, BootTimelines timelines, ILogger logger)
{
    /// <summary>Under this server's address; the file's name follows.</summary>
    public const string Path = "/firmware/";

    // iPXE looks for it beside itself, and goes on without.
    private const string Autoexec = "autoexec.ipxe";

    public async Task SendAsync(HttpContext context, string name)
    {
        var client = context.Connection.RemoteIpAddress!;
        var mac = machines.At(client);
        if (programs.Find(name) is not { } content)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            if (name == Autoexec)
                return;
            LogNotFound(client, name);
            if (mac is { } asking && timelines.Of(asking) is { Outcome: BootOutcome.Running })
                timelines.Refuse(asking, machines.NameOf(asking), BootStage.Tftp, $"it asked for {Path}{name} by HTTP, which is not there");
            return;
        }
        if (mac is { } machine && HttpMethods.IsGet(context.Request.Method))
            Observe(machine, name, content.Length, context);
        var tag = new EntityTagHeaderValue($"\"{programs.TagOf(name)}\"");
        await Results.Bytes(content, "application/efi", entityTag: tag, enableRangeProcessing: true).ExecuteAsync(context);
    }

    private void Observe(Fleet.Machines.MacAddress machine, string name, int length, HttpContext context)
    {
        var scheme = context.Request.Scheme.ToUpperInvariant();
        timelines.Observe(machine, machines.NameOf(machine), BootStage.Tftp, string.Create(CultureInfo.InvariantCulture, $"fetches {name}, {length:N0} bytes by {scheme}"),
            new Dictionary<string, string> { ["file"] = name, ["by"] = context.Request.Scheme });
    }

    [LoggerMessage(3005, LogLevel.Warning, "http: {Client} asked for '{Name}', which is not there")]
    private partial void LogNotFound(IPAddress client, string name);
}
