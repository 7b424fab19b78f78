using System.Net;

namespace Slipway.Iscsi.Target;

/// <summary>One target in the answer to SendTargets.</summary>
/// <param name="Portals">Where initiators reach it. Empty: at the address that the asking connection came to; port 0: at that port.</param>
public sealed record TargetRecord(string Name, IReadOnlyList<IPEndPoint> Portals);
