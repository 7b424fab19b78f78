using System.Net;

namespace Slipway.Iscsi.Target;

/// <summary>One target in the answer to SendTargets.</summary>
/// <param name="Portals">Empty: the portal that was asked.</param>
public sealed record TargetRecord(string Name, IReadOnlyList<IPEndPoint> Portals);
