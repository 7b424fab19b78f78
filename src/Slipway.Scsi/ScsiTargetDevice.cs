namespace Slipway.Scsi;

/// <summary>
/// A SCSI target device (SAM-5 §4.5.2): its logical units, the I_T nexuses open on it, and the routing between them.
/// A transport opens one <see cref="Nexus"/> per session and hands every command to <see cref="ExecuteAsync"/>.
/// </summary>
/// <remarks>Thread-safe: sessions of one device may live on different event loops.</remarks>
public abstract class ScsiTargetDevice
{
    /// <summary>
    /// Opens an I_T nexus. <paramref name="initiatorPort"/> is the initiator port's name as the transport defines it
    /// (iSCSI: <c>iqn…,i,0x</c> and the ISID, RFC 7143 §4.4.1), <paramref name="relativeTargetPort"/> the target port's
    /// relative identifier.
    /// </summary>
    public abstract Nexus OpenNexus(string initiatorPort, ushort relativeTargetPort);

    /// <summary>I_T nexus loss (SAM-5 §6.3.4): tasks end, and what the standard ties to the nexus is released.</summary>
    public abstract void CloseNexus(Nexus nexus);

    /// <summary>
    /// Runs one command. Never throws for what an initiator or the medium did: that is status and sense in
    /// <paramref name="task"/>. Completes at once where nothing must be waited for.
    /// </summary>
    public abstract ValueTask ExecuteAsync(ScsiTask task, CancellationToken cancellation = default);

    /// <summary>Ends a command that never reached its unit with sense data, in the format that the unit uses (SPC-4 §4.5.1).</summary>
    public abstract void Refuse(ScsiTask task, SenseCode sense);

    /// <summary>
    /// Runs a task management function (SAM-5 §7). The transport aborts what it holds itself, queued or in transfer; the
    /// device does the rest: unit attentions for the others, reset state.
    /// </summary>
    public abstract TaskManagementResponse Manage(TaskManagementFunction function, Nexus nexus, ulong lun);

    /// <summary>
    /// CLEAR TASK SET of another nexus has aborted commands of this one: it learns so by unit attention, as none of them
    /// is answered (SAM-5 §5.6.3, TAS zero).
    /// </summary>
    public abstract void ReportCleared(Nexus nexus, ulong lun);
}

/// <summary>An I_T nexus: one initiator port talking to one target port.</summary>
public abstract class Nexus(string initiatorPort, ushort relativeTargetPort)
{
    public string InitiatorPort { get; } = initiatorPort;

    public ushort RelativeTargetPort { get; } = relativeTargetPort;

    /// <summary>
    /// Set by the transport: aborts the nexus' commands to a LUN, and completes when none of them is left. The device asks
    /// for it where a nexus is put out by another (SPC-4 §5.12.11.2.6).
    /// </summary>
    public Func<ulong, Task>? AbortTaskSet { get; set; }
}

/// <summary>SAM-5 §7.1; values of RFC 7143 §11.5.1.</summary>
public enum TaskManagementFunction : byte
{
    AbortTask = 1,
    AbortTaskSet = 2,
    ClearAca = 3,
    ClearTaskSet = 4,
    LogicalUnitReset = 5,
    TargetWarmReset = 6,
    TargetColdReset = 7,
    TaskReassign = 8,
}

/// <summary>Values of RFC 7143 §11.6.1.</summary>
public enum TaskManagementResponse : byte
{
    FunctionComplete = 0,
    TaskDoesNotExist = 1,
    LunDoesNotExist = 2,
    TaskStillAllegiant = 3,
    TaskReassignNotSupported = 4,
    NotSupported = 5,
    AuthorizationFailed = 6,
    Rejected = 255,
}
