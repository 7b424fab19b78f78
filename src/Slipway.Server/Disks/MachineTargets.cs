using System.Collections.Frozen;
using System.Net;
using Slipway.Iscsi.Chap;
using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Target;

namespace Slipway.Server.Disks;

/// <summary>
/// Each machine's target admits that machine's initiator, and those that its settings name, from the networks that they
/// name, with the secrets of its latest boot, and nobody else.
/// </summary>
/// <param name="advertised">As in <see cref="TargetRecord"/>.</param>
internal sealed class MachineTargets(IEnumerable<MachineDisk> disks, IReadOnlyList<IPEndPoint> advertised) : ITargetDirectory
{
    private readonly FrozenDictionary<string, MachineDisk> _byTarget = disks.ToFrozenDictionary(d => d.Names.Target);
    private readonly FrozenDictionary<string, MachineDisk> _byInitiator = disks.ToFrozenDictionary(d => d.Names.Initiator);

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
