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
internal sealed class MachineTargets(IReadOnlyList<IPEndPoint> advertised) : ITargetDirectory
{
    private readonly ConcurrentDictionary<MacAddress, MachineDisk> _byMac = [];
    private readonly ConcurrentDictionary<string, MachineDisk> _byTarget = [];
    private readonly ConcurrentDictionary<string, MachineDisk> _byInitiator = [];

    public void Add(MachineDisk disk)
    {
        _byMac[disk.Machine.Mac] = disk;
        _byInitiator[disk.Names.Initiator] = disk;
        _byTarget[disk.Names.Target] = disk;
    }

    /// <summary>Nobody can log in to it from here on; who is, stays until told.</summary>
    public void Remove(MachineDisk disk)
    {
        _byTarget.TryRemove(disk.Names.Target, out _);
        _byInitiator.TryRemove(disk.Names.Initiator, out _);
        _byMac.TryRemove(disk.Machine.Mac, out _);
    }

    public IEnumerable<MachineDisk> All => _byMac.Values;

    public MachineDisk? Of(MacAddress mac) => _byMac.GetValueOrDefault(mac);

    public MachineDisk? Find(LoginFacts facts) =>
        facts.TargetName is { } target ? _byTarget.GetValueOrDefault(target) : _byInitiator.GetValueOrDefault(facts.InitiatorName);

    public Admission Admit(LoginFacts facts)
    {
        if (facts.SessionType == SessionType.Normal && (facts.TargetName is null || !_byTarget.ContainsKey(facts.TargetName)))
            return Admission.Refuse(LoginStatus.NotFound, $"there is no target {facts.TargetName}");
        if (Find(facts) is not { } disk)
            return Admission.Refuse(LoginStatus.AuthorizationFailure, $"{facts.InitiatorName} is not the initiator that may use this portal");
        if (disk.Access.Refusal(facts) is { } reason)
            return Admission.Refuse(LoginStatus.AuthorizationFailure, reason);
        if (disk.Credentials is not { } credentials)
            return Admission.Refuse(LoginStatus.AuthorizationFailure, $"{disk.Machine.Name} has fetched no script yet, so it has no secrets");
        var chap = new ChapPolicy(
            new ChapAccount(credentials.User, credentials.Secret),
            new ChapAccount(credentials.ReverseUser, credentials.ReverseSecret));
        return Admission.Grant(facts.SessionType == SessionType.Normal ? disk.Device : null, chap);
    }

    /// <summary>Only the machine whose secrets the session was opened with.</summary>
    public IReadOnlyList<TargetRecord> Discover(LoginFacts facts) =>
        Find(facts) is { } disk ? [new TargetRecord(disk.Names.Target, advertised)] : [];
}
