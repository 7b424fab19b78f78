namespace Slipway.Scsi.Commands.Copy;

/// <summary>How one copy stands, or how it ended; asked about from other threads than its own.</summary>
internal sealed class CopyRecord(byte listId)
{
    private volatile int _segments;
    private long _bytes;
    private volatile bool _isComplete;

    public byte ListId { get; } = listId;

    /// <summary>Segments that were begun (SPC-4 §6.25).</summary>
    public int Segments => _segments;

    /// <summary>What was written, in the order of the list.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    public bool IsComplete => _isComplete;

    /// <summary>What the command ended with; valid once <see cref="IsComplete"/>.</summary>
    public ScsiStatus Status { get; private set; }

    public byte[] Sense { get; private set; } = [];

    /// <summary>Nobody has asked for it, or its allocation length had no room.</summary>
    public bool KeepsStatus { get; set; } = true;

    public bool KeepsFailure { get; set; }

    public void BeginSegment() => _segments++;

    public void Wrote(int bytes) => Volatile.Write(ref _bytes, _bytes + bytes);

    public void End(ScsiStatus status, ReadOnlySpan<byte> sense)
    {
        (Status, Sense, KeepsFailure) = (status, sense.ToArray(), status != ScsiStatus.Good);
        _isComplete = true;
    }
}

/// <summary>
/// The copies of one I_T_L nexus by their list id: running, or ended and not asked about yet. Of the ended
/// ones the oldest go where more are kept than was promised.
/// </summary>
internal sealed class CopyResults
{
    public const byte MaxKept = 16;

    private readonly Lock _lock = new();
    private readonly List<CopyRecord> _records = [];

    /// <summary>Null while a copy with the same list id runs.</summary>
    public CopyRecord? TryBegin(byte listId)
    {
        lock (_lock)
        {
            if (_records.Find(r => r.ListId == listId) is { } same)
            {
                if (!same.IsComplete)
                    return null;
                _records.Remove(same);
            }

            if (_records.Count >= MaxKept && _records.Find(r => r.IsComplete) is { } oldest)
                _records.Remove(oldest);
            var record = new CopyRecord(listId);
            _records.Add(record);
            return record;
        }
    }

    public CopyRecord? Find(byte listId)
    {
        lock (_lock)
            return _records.Find(r => r.ListId == listId);
    }

    public void Forget(CopyRecord record)
    {
        lock (_lock)
            _records.Remove(record);
    }

    /// <summary>A reset of the unit (SPC-4 §6.23, §6.25); what still runs is ended by others.</summary>
    public void ForgetEnded()
    {
        lock (_lock)
            _records.RemoveAll(r => r.IsComplete);
    }
}
