namespace Slipway.Scsi.Reservations;

/// <summary>
/// A reservation key and the I_T nexus that registered it (SPC-4 §5.12.7). The nexus is named by its ports: a
/// registration outlives the session that made it.
/// </summary>
public sealed record Registration(string InitiatorPort, ushort RelativeTargetPort, ulong Key)
{
    internal bool IsOf(Nexus nexus) =>
        RelativeTargetPort == nexus.RelativeTargetPort && InitiatorPort == nexus.InitiatorPort;
}
