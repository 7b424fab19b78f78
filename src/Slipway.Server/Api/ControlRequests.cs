using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Slipway.Dhcp.Leases;
using Slipway.Dhcp.Wire;
using Slipway.Fleet.Boots;
using Slipway.Fleet.Machines;
using Slipway.Server.Dhcp;
using Slipway.Server.Machines;
using Slipway.Server.Site;
using Slipway.Server.Timeline;

namespace Slipway.Server.Api;

/// <summary>What the API is asked for. A machine is named by its name or its MAC address.</summary>
internal sealed class ControlRequests(
    MachineDirectory machines, MachineRegistry registry, MachineSightings sightings, BootTimelines timelines, SqliteLeaseStore leases,
    IReadOnlyList<NetworkSettings> networks, TimeProvider clock)
{
    public IReadOnlyList<MachineView> Machines()
    {
        var registrations = registry.Registrations();
        var seen = sightings.All.ToDictionary(s => s.Mac);
        var boots = timelines.Current.ToDictionary(b => b.Mac);
        var known = machines.All.ToDictionary(m => m.Mac);
        return [.. known.Keys.Union(seen.Keys)
            .Select(mac => MachineView.Of(mac, known.GetValueOrDefault(mac), registrations.GetValueOrDefault(mac), seen.GetValueOrDefault(mac), boots.GetValueOrDefault(mac)))
            .OrderBy(m => m.Name is null).ThenBy(m => m.Name ?? m.Mac, StringComparer.Ordinal)];
    }

    public Results<Ok<MachineView>, ProblemHttpResult> Machine(string machine) =>
        MacOf(machine) is { } mac && Known(mac) ? TypedResults.Ok(View(mac)) : Unknown(machine);

    public async Task<Results<Ok<MachineView>, ProblemHttpResult>> ApproveAsync(string machine, ApprovalRequest request, CancellationToken cancellation)
    {
        if (MacOf(machine) is not { } mac)
            return ErrorCode.Problem($"'{machine}' is no MAC address, like 52:54:00:77:00:01: a machine that has no name yet is approved by that", statusCode: StatusCodes.Status404NotFound);
        try
        {
            await registry.ApproveAsync(mac, request.ToApproval(), cancellation);
            return TypedResults.Ok(View(mac));
        }
        catch (MachineRefusedException e)
        {
            return Refused(e.Message);
        }
    }

    public async Task<Results<NoContent, ProblemHttpResult>> RemoveAsync(string machine, CancellationToken cancellation)
    {
        if (MacOf(machine) is not { } mac)
            return Unknown(machine);
        try
        {
            await registry.RemoveAsync(mac, cancellation);
            return TypedResults.NoContent();
        }
        catch (MachineRefusedException e)
        {
            return Refused(e.Message);
        }
    }

    public Results<Ok<MachineView>, ProblemHttpResult> BootOnce(string machine, BootOnceRequest request)
    {
        if (MacOf(machine) is not { } mac)
            return Unknown(machine);
        try
        {
            registry.BootOnce(mac, request.Profile);
            return TypedResults.Ok(View(mac));
        }
        catch (MachineRefusedException e)
        {
            return Refused(e.Message);
        }
    }

    /// <summary>Sends a wake-on-LAN packet; whether the machine heard it, only its boot tells.</summary>
    public async Task<Results<Ok<WakeView>, ProblemHttpResult>> WakeAsync(string machine, CancellationToken cancellation)
    {
        if (MacOf(machine) is not { } mac)
            return Unknown(machine);
        try
        {
            var sent = await WakeOnLan.SendAsync(mac, networks, cancellation);
            return TypedResults.Ok(new WakeView(mac.ToString(), [.. sent.Select(a => a.ToString())]));
        }
        catch (SocketException e)
        {
            return Refused($"the packet that wakes {machine} cannot be sent: {e.Message}");
        }
    }

    public IReadOnlyList<BootView> Boots() => [.. timelines.Current.OrderByDescending(b => b.Started).Select(b => BootView.Of(b))];

    public Results<Ok<BootView>, ProblemHttpResult> Boot(string machine) =>
        MacOf(machine) is not { } mac ? Unknown(machine)
        : timelines.Of(mac) is { } boot ? TypedResults.Ok(BootView.Of(boot, timelines.EventsOf(mac)))
        : ErrorCode.Problem($"{machine} has not booted since the server started", statusCode: StatusCodes.Status404NotFound);

    /// <summary>Events from now on, of all machines, or of one, with what there is of its boot so far; for as long as the client listens.</summary>
    public Results<ServerSentEventsResult<BootEventView>, ProblemHttpResult> Follow(string? machine, CancellationToken cancellation) =>
        machine is null ? TypedResults.ServerSentEvents(EventsAsync(null, cancellation), eventType: "boot")
        : MacOf(machine) is { } mac ? TypedResults.ServerSentEvents(EventsAsync(mac, cancellation), eventType: "boot")
        : Unknown(machine);

    public IReadOnlyList<LeaseView> Leases()
    {
        var now = clock.GetUtcNow();
        return [.. leases.Load().OrderBy(l => l.Address, AddressOrder.Instance)
            .Select(l => LeaseView.Of(l, DhcpEvidence.MacOf(l.Hardware) is { } mac ? machines.Find(mac)?.Name : null, now))];
    }

    /// <summary>Who had an address, or what a machine had: the present lease, then those before it, the latest first.</summary>
    /// <param name="of">An address, or a machine's name or MAC address.</param>
    public Results<Ok<List<LeaseView>>, ProblemHttpResult> LeaseHistory(string of)
    {
        var now = clock.GetUtcNow();
        if (IPAddress.TryParse(of, out var address))
            return TypedResults.Ok(Views(leases.Load().Where(l => l.Address.Equals(address)).Concat(leases.HistoryOf(address))));
        if (MacOf(of) is not { } mac)
            return Unknown(of);
        var hardware = HardwareAddress.Parse(mac.ToString());
        return TypedResults.Ok(Views(leases.Load().Where(l => l.Hardware == hardware).Concat(leases.HistoryOf(hardware))));

        List<LeaseView> Views(IEnumerable<Lease> all) =>
            [.. all.Select(l => LeaseView.Of(l, DhcpEvidence.MacOf(l.Hardware) is { } holder ? machines.Find(holder)?.Name : null, now))];
    }

    private async IAsyncEnumerable<BootEventView> EventsAsync(MacAddress? only, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (var e in timelines.FollowAsync(only, cancellation))
            yield return BootEventView.Of(e);
    }

    private MacAddress? MacOf(string machine) => MacAddress.TryParse(machine, null, out var mac) ? mac : machines.Named(machine)?.Mac;

    private bool Known(MacAddress mac) => machines.Find(mac) is not null || sightings.Of(mac) is not null;

    private MachineView View(MacAddress mac) =>
        MachineView.Of(mac, machines.Find(mac), registry.Registrations().GetValueOrDefault(mac), sightings.Of(mac), timelines.Of(mac), registry.BootOnceOf(mac));

    private static ProblemHttpResult Unknown(string machine) =>
        ErrorCode.Problem($"there is no machine {machine}: slipway machine list shows those that were seen", statusCode: StatusCodes.Status404NotFound);

    private static ProblemHttpResult Refused(string reason) => ErrorCode.Problem(reason, statusCode: StatusCodes.Status409Conflict);
}
