using System.Runtime.CompilerServices;

namespace Slipway.Scsi;

/// <summary>
/// One command on its way through a logical unit (SAM-5 §5.1, "Execute Command"). The transport fills in the request and
/// lends the Data-In buffer; the unit fills in the response. One object serves many commands: <see cref="Reset"/> starts
/// it anew, so the data path allocates nothing.
/// </summary>
public abstract class ScsiTask
{
    /// <summary>Largest fixed or descriptor sense kept for a command (SPC-4 §4.5.1 allows 252).</summary>
    public const int MaxSense = 64;

    private readonly byte[] _cdb = new byte[16];
    private readonly byte[] _sense = new byte[MaxSense];
    private TaskCompletionSource? _abandonment;
    private volatile bool _isAbandoned;

    /// <summary>The I_T nexus that the command came by.</summary>
    public Nexus Nexus { get; set; } = null!;

    /// <summary>The eight bytes of the LUN field, as on the wire (SAM-5 §4.7).</summary>
    public ulong Lun { get; set; }

    /// <summary>The command's tag, unique on its nexus while the command lives.</summary>
    public ulong Tag { get; set; }

    public TaskAttribute Attribute { get; set; }

    /// <summary>The CDB, padded with zeroes to 16 bytes.</summary>
    public ReadOnlySpan<byte> Cdb => _cdb;

    /// <summary>Everything that the initiator sent as Data-Out, already gathered. Empty for commands without.</summary>
    public ReadOnlyMemory<byte> DataOut { get; set; }

    /// <summary>How many bytes of Data-In the initiator takes; a unit need not produce more.</summary>
    public int DataInLimit { get; set; }

    public ScsiStatus Status { get; set; }

    /// <summary>Data-In produced for the initiator; a part of the buffer that <see cref="LendDataIn"/> gave.</summary>
    public ReadOnlyMemory<byte> DataIn { get; set; }

    /// <summary>
    /// How many bytes the command, by its CDB alone, moves to (<see cref="DataIn"/>) or from the initiator. The transport
    /// compares it with what the initiator expected and reports the residual (SAM-5 §5.4.2, RFC 7143 §11.4.5).
    /// </summary>
    public long TransferLength { get; set; }

    /// <summary><see cref="TransferLength"/> is data from the initiator.</summary>
    public bool TakesData { get; internal set; }

    /// <summary>Sense data; empty unless <see cref="Status"/> is <see cref="ScsiStatus.CheckCondition"/>.</summary>
    public ReadOnlySpan<byte> Sense => _sense.AsSpan(0, SenseLength);

    public int SenseLength { get; private set; }

    /// <summary>The sense key, in whatever format; <see cref="SenseKey.NoSense"/> where there is no sense.</summary>
    public SenseKey SenseKey => SenseLength == 0 ? SenseKey.NoSense : (SenseKey)(_sense[_sense[0] >= 0x72 ? 1 : 2] & 0x0F);

    /// <summary>True once the initiator has aborted the command. A command that takes long looks at it now and then.</summary>
    public bool IsAbandoned => _isAbandoned;

    /// <summary>Ends when the command is aborted. Asked for by the unit in the synchronous part of the command only.</summary>
    internal Task Abandonment =>
        (_abandonment ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    /// <summary>
    /// The transport tells that nobody waits for the response any more. The command may end early, and the transport
    /// still waits for its end.
    /// </summary>
    public void Abandon()
    {
        _isAbandoned = true;
        _abandonment?.TrySetResult();
    }

    /// <summary>
    /// Awaited where a command is about to do much that may never have to wait, such as writes into a cache: the caller's thread,
    /// which others' commands need, gets free.
    /// </summary>
    internal static ConfiguredTaskAwaitable LeaveThread() => Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);

    /// <summary>Between the steps of a command that takes long.</summary>
    /// <exception cref="OperationCanceledException">Nobody waits for the response.</exception>
    internal void ThrowIfAbandoned()
    {
        if (_isAbandoned)
            throw new OperationCanceledException();
    }

    /// <summary>Makes the object ready for the next command. A CDB longer than 16 bytes is cut: no unit here takes one.</summary>
    public void Reset(ReadOnlySpan<byte> cdb)
    {
        Array.Clear(_cdb);
        cdb[..Math.Min(cdb.Length, _cdb.Length)].CopyTo(_cdb);
        Lun = 0;
        Tag = 0;
        Attribute = TaskAttribute.Simple;
        DataOut = default;
        DataInLimit = 0;
        Status = ScsiStatus.Good;
        DataIn = default;
        TransferLength = 0;
        TakesData = false;
        SenseLength = 0;
        _isAbandoned = false;
        _abandonment = null;
    }

    /// <summary>Room for sense data, <paramref name="length"/> bytes, zeroed.</summary>
    public Span<byte> SetSense(int length)
    {
        SenseLength = length;
        var sense = _sense.AsSpan(0, length);
        sense.Clear();
        return sense;
    }

    /// <summary>
    /// A buffer of <paramref name="length"/> bytes for Data-In, owned by the transport and valid until the response has
    /// been sent. Its content is undefined. Called at most once per command, with at most <see cref="DataInLimit"/> bytes.
    /// </summary>
    public abstract Memory<byte> LendDataIn(int length);
}

/// <summary>SAM-5 §5.3.1.</summary>
public enum ScsiStatus : byte
{
    Good = 0x00,
    CheckCondition = 0x02,
    ConditionMet = 0x04,
    Busy = 0x08,
    ReservationConflict = 0x18,
    TaskSetFull = 0x28,
    AcaActive = 0x30,
    TaskAborted = 0x40,
}

/// <summary>SAM-5 §8.6; the values are those of the iSCSI ATTR field (RFC 7143 §11.3.1).</summary>
public enum TaskAttribute : byte
{
    Untagged = 0,
    Simple = 1,
    Ordered = 2,
    HeadOfQueue = 3,
    Aca = 4,
}
