using System.Diagnostics.CodeAnalysis;
using Slipway.Iscsi.Transfer;
using Slipway.Scsi;

namespace Slipway.Iscsi.Target.FullFeature;

internal enum TaskState
{
    /// <summary>Its PDU is coming in, or its turn by CmdSN has not come.</summary>
    Arriving,

    /// <summary>Data-Out is coming in.</summary>
    Receiving,

    /// <summary>Waits for memory: for Data-In, or to solicit Data-Out.</summary>
    Waiting,
    Running,

    /// <summary>Answered or aborted; buffers may still be on their way out.</summary>
    Ended,
}

/// <summary>
/// A SCSI command with what iSCSI adds to it. It is used by one connection's loop only, and counts who still needs its
/// buffers: the session while the command lives, the receiver, the logical unit, the send queue.
/// </summary>
internal sealed class TargetTask : ScsiTask, ISentOwner
{
    private readonly Action _completed;
    private byte[]? _dataIn;
    private byte[]? _dataOut;
    private int _holds;

    public TargetTask() => _completed = () => Phase!.Connection.Post(this);

    public FullFeaturePhase? Phase { get; private set; }

    public TaskState State { get; set; }

    public uint CmdSN { get; set; }

    public bool IsImmediate { get; set; }

    public bool Read { get; set; }

    public bool Write { get; set; }

    /// <summary>Both: what it reads has a length of its own, <see cref="ReadExpected"/>.</summary>
    public bool IsBidirectional => Read && Write;

    /// <summary>What the initiator expects to transfer; may be more than is ever taken.</summary>
    public uint Expected { get; set; }

    /// <summary>What the initiator of a bidirectional command expects to read (RFC 7143 §11.2.2.4).</summary>
    public uint ReadExpected { get; set; }

    /// <summary>How much Data-In the initiator takes.</summary>
    public uint ExpectedIn => !Read ? 0 : Write ? ReadExpected : Expected;

    /// <summary>How much Data-Out is taken.</summary>
    public int Capacity { get; set; }

    public int Received { get; set; }

    /// <summary>Bytes that the connection's account was charged with for this task.</summary>
    public int Charge { get; set; }

    public bool IsAborted { get; set; }

    /// <summary>
    /// One of <see cref="SenseCodes"/> that it ends with instead of running, in its turn and when the data has come that is
    /// on its way; <see cref="SenseCode.NoSense"/>: none.
    /// </summary>
    public SenseCode Refusal { get; set; }

    public bool IsRefused => Refusal.Key != SenseKey.NoSense;

    public Burst Unsolicited;

    /// <summary>Never open: what a transfer tag that nobody gave out leads to.</summary>
    public Burst NoBurst;

    /// <summary>As many as its session's MaxOutstandingR2T; made with the first R2T, kept with the object.</summary>
    public Burst[] Solicited { get; private set; } = [];

    /// <summary>Next byte to ask for.</summary>
    public int NextSolicited { get; set; }

    public uint R2TSN { get; set; }

    /// <summary>R2T and Data-In PDUs sent: ExpDataSN of the response.</summary>
    public uint DataPdus { get; set; }

    public ValueTask Execution { get; private set; }

    public void Begin(FullFeaturePhase phase, ReadOnlySpan<byte> cdb)
    {
        Reset(cdb);
        Phase = phase;
        State = TaskState.Arriving;
        Received = Charge = NextSolicited = Capacity = 0;
        R2TSN = DataPdus = 0;
        Refusal = SenseCode.NoSense;
        IsAborted = false;
        Unsolicited = default;
        Array.Clear(Solicited);
        _holds = 1;
    }

    /// <summary>What has not come unasked is asked for, in so many bursts at a time.</summary>
    public void BeginSoliciting(int bursts)
    {
        if (Solicited.Length != bursts)
            Solicited = new Burst[bursts];
        NextSolicited = Received;
    }

    /// <summary>The initiator still owes data that it announced, or was asked for.</summary>
    public bool HasOpenBurst => Unsolicited.IsOpen || Array.Exists(Solicited, b => b.IsOpen);

    /// <summary>Closes the first burst that is open.</summary>
    public void CloseBurst()
    {
        if (Unsolicited.IsOpen)
            Unsolicited.IsOpen = false;
        else if (Array.FindIndex(Solicited, b => b.IsOpen) is var i and >= 0)
            Solicited[i].IsOpen = false;
    }

    /// <summary>Makes room for Data-Out; what has come already moves over.</summary>
    public void RentDataOut(int length)
    {
        if (_dataOut is not null && _dataOut.Length >= length)
            return;
        var larger = Phase!.Buffers.Rent(length);
        if (_dataOut is not null)
        {
            _dataOut.AsSpan(0, Received).CopyTo(larger);
            Phase.Buffers.Return(_dataOut);
        }
        _dataOut = larger;
    }

    public Memory<byte> Space(int offset, int length) => _dataOut.AsMemory(offset, length);

    public override Memory<byte> LendDataIn(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, DataInLimit);
        if (_dataIn is null || _dataIn.Length < length)
        {
            if (_dataIn is not null)
                Phase!.Buffers.Return(_dataIn);
            _dataIn = Phase!.Buffers.Rent(length);
        }
        return _dataIn.AsMemory(0, length);
    }

    /// <summary>Runs the command; true where it is done already. Otherwise the connection is woken when it is.</summary>
    [SuppressMessage("Reliability", "CA2012:Use ValueTasks correctly", Justification = "kept until it is complete, then consumed once")]
    public bool Execute(ScsiTargetDevice device, CancellationToken cancellation)
    {
        State = TaskState.Running;
        DataOut = _dataOut is null ? default : _dataOut.AsMemory(0, Received);
        try
        {
            Execution = device.ExecuteAsync(this, cancellation);
        }
        catch (Exception bug)
        {
            // A device may not throw; one that does ends its command like one that fails later, not the loop.
            Execution = ValueTask.FromException(bug);
        }
        if (Execution.IsCompleted)
            return true;
        Execution.GetAwaiter().UnsafeOnCompleted(_completed);
        return false;
    }

    public void Hold() => _holds++;

    /// <summary>The last one who lets go sends the object, and its buffers, back to their pools.</summary>
    public void Release()
    {
        if (--_holds > 0)
            return;
        var phase = Phase!;
        if (_dataIn is not null)
            phase.Buffers.Return(_dataIn);
        if (_dataOut is not null)
            phase.Buffers.Return(_dataOut);
        _dataIn = _dataOut = null;
        Execution = default;
        Phase = null;
        phase.Released(this);
    }

    void ISentOwner.Sent() => Release();
}
