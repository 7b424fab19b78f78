using System.Collections.Concurrent;
using System.Net;
using Slipway.Fleet.Machines;
using Slipway.Iscsi.Chap;
using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Target;

namespace Slipway.Server.Disks;

/// <summary>
/// The disks that are served. Each machine's target admits that machine's initiator, and those that its settings name,
/// from the networks that they name, with the secrets of its latest boot, and nobody else. Machines come and go while
/// others are logged in.
/// </summary>
/// <param name="advertised">As in <see cref="TargetRecord"/>.</param>
/// <param name="redirect">The portal that logins are sent to from every other one, where their machine says nothing else; null: none.</param>
/// <param name="paths">This server's addresses on storage networks, each a path of its own to every disk; none: all portals are one.</param>
internal sealed class MachineTargets(IReadOnlyList<IPEndPoint> advertised, IPEndPoint? redirect = null, params IPAddress[] paths) : ITargetDirectory
{
    private readonly ConcurrentDictionary<MacAddress, MachineDisk> _byMac = [];
    private readonly ConcurrentDictionary<string, MachineDisk> _byTarget = [];

    public void Add(MachineDisk disk)
    {
        _byMac[disk.Machine.Mac] = disk;
        _byTarget[disk.Names.Target] = disk;
    }

    /// <summary>Nobody can log in to it from here on; who is, stays until told.</summary>
    public void Remove(MachineDisk disk)
    {
        _byTarget.TryRemove(disk.Names.Target, out _);
        _byMac.TryRemove(disk.Machine.Mac, out _);
    }

    public IEnumerable<MachineDisk> All => _byMac.Values;

    public MachineDisk? Of(MacAddress mac) => _byMac.GetValueOrDefault(mac);

    /// <summary>The disk that a login is for; null in a discovery session.</summary>
    public MachineDisk? Find(LoginFacts facts) =>
        facts.TargetName is { } target ? _byTarget.GetValueOrDefault(target) : null;

    public Admission Admit(LoginFacts facts)
    {
        if (facts.SessionType == SessionType.Discovery)
            return AdmitDiscovery(facts);
        if (Find(facts) is not { } disk)
            return Admission.Refuse(LoginStatus.NotFound, $"there is no target {facts.TargetName}");
        if (disk.Access.Refusal(facts) is { } reason)
            return Admission.Refuse(LoginStatus.AuthorizationFailure, reason);
        if (RedirectOf(disk, facts) is { } elsewhere && !elsewhere.Equals(facts.Portal))
            return Admission.Redirect(elsewhere, permanently: false);
        return ChapOf(disk) is { } chap
            ? Admission.Grant(disk.Device, chap)
            : Admission.Refuse(LoginStatus.AuthorizationFailure, Scriptless(disk));
    }

    /// <summary>Only the target whose secrets the session was opened with; without any, only the one whose name the initiator's own tells.</summary>
    public IReadOnlyList<TargetRecord> Discover(LoginFacts facts) =>
        [.. _byTarget.Values
            .Where(disk => disk.Credentials is { } credentials && disk.Access.Refusal(facts) is null
                && (facts.ProvedName is { } proved ? credentials.User == proved : IsOwn(disk, facts)))
            .Select(disk => new TargetRecord(disk.Names.Target, RedirectOf(disk, facts) is { } portal ? [portal] : Advertised))];

    // Who looks for its disk by one storage network is to know the others.
    private IReadOnlyList<IPEndPoint> Advertised => advertised.Count > 0 ? advertised : [.. paths.Select(p => new IPEndPoint(p, 0))];

    private Admission AdmitDiscovery(LoginFacts facts)
    {
        var named = _byTarget.Values.Where(disk => disk.Access.Names(facts.InitiatorName)).ToList();
        if (named.Count == 0)
            return Admission.Refuse(LoginStatus.AuthorizationFailure, $"{facts.InitiatorName} is not an initiator that may use this portal");
        var reachable = named.FindAll(disk => disk.Access.Refusal(facts) is null);
        if (reachable.Count == 0)
            return Admission.Refuse(LoginStatus.AuthorizationFailure, named[0].Access.Refusal(facts)!);
        var chap = reachable.Select(ChapOf).OfType<ChapPolicy>().ToList();
        return chap.Count > 0
            // dracut's netroot=iscsi: has no secrets for discovery, though it has them for the login.
            ? Admission.GrantDiscovery(chap, isChapOptional: reachable.Exists(disk => IsOwn(disk, facts)))
            : Admission.Refuse(LoginStatus.AuthorizationFailure, Scriptless(reachable[0]));
    }

    private static bool IsOwn(MachineDisk disk, LoginFacts facts) => disk.Names.Initiator.Equals(facts.InitiatorName, StringComparison.OrdinalIgnoreCase);

    /// <summary>Null where the machine has no secrets.</summary>
    private static ChapPolicy? ChapOf(MachineDisk disk) => disk.Credentials is { } credentials
        ? new(new ChapAccount(credentials.User, credentials.Secret), new ChapAccount(credentials.ReverseUser, credentials.ReverseSecret))
        : null;

    /// <summary>A group for each storage network.</summary>
    public ushort PortalGroupOf(IPEndPoint portal) => (ushort)(Math.Max(0, Array.IndexOf(paths, portal.Address)) + 1);

    private static string Scriptless(MachineDisk disk) => $"{disk.Machine.Name} has no secrets: it has fetched no script yet, or was cut off since";

    /// <summary>With the port that was asked for, where none is set.</summary>
    private IPEndPoint? RedirectOf(MachineDisk disk, LoginFacts facts) =>
        (disk.Machine.Redirect ?? redirect) is not { } portal ? null
        : portal.Port == 0 ? new(portal.Address, facts.Portal.Port) : portal;
}
