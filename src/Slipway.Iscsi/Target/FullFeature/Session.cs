using Slipway.Iscsi.Text;
using Slipway.Scsi;

namespace Slipway.Iscsi.Target.FullFeature;

/// <summary>One session with one connection: whom it belongs to, what was agreed, its commands.</summary>
internal sealed class Session(SessionKey key, ushort tsih, LoginFacts facts, OperationalParameters parameters, ScsiTargetDevice? device, CommandWindow window)
{
    public SessionKey Key { get; } = key;

    public ushort Tsih { get; } = tsih;

    public LoginFacts Facts { get; } = facts;

    public OperationalParameters Parameters { get; } = parameters;

    /// <summary>Null in a discovery session.</summary>
    public ScsiTargetDevice? Device { get; } = device;

    /// <summary>RFC 7143 §4.4.1: the initiator port's name is the initiator's name, ",i,0x" and the ISID.</summary>
    public Nexus? Nexus { get; } = device?.OpenNexus($"{facts.InitiatorName},i,0x{facts.Isid:x12}", Login.LoginPhase.PortalGroupTag);

    public CommandWindow Window { get; } = window;

    /// <summary>Living commands by their Initiator Task Tag.</summary>
    public Dictionary<uint, TargetTask> Tasks { get; } = [];

    public long BytesRead { get; set; }

    public long BytesWritten { get; set; }
}

/// <summary>What makes two sessions the same (RFC 7143 §4.4.3: one I_T nexus, one session).</summary>
internal readonly record struct SessionKey(string Initiator, ulong Isid, string Target, ushort PortalGroupTag);
