using System.Net;

namespace Slipway.Iscsi.Target;

/// <summary>Who may log in to what. Called from several threads, and expected to answer from memory.</summary>
public interface ITargetDirectory
{
    /// <summary>Called once per login, when the initiator's name (and the target's, for a normal session) is known.</summary>
    Admission Admit(LoginFacts facts);

    /// <summary>The answer to SendTargets: only what this initiator may see.</summary>
    IReadOnlyList<TargetRecord> Discover(LoginFacts facts);

    /// <summary>
    /// The tag of the portal group that a portal is in (RFC 7143 §4.4.1), which is the target port of its sessions: portals
    /// of one group are one path to initiators that have several, those of two are two.
    /// </summary>
    /// <param name="portal">The address that a connection has come to.</param>
    ushort PortalGroupOf(IPEndPoint portal) => 1;
}
