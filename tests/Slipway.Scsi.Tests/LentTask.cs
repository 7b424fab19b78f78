namespace Slipway.Scsi.Tests;

/// <summary>A transport's task that checks the unit's side of the bargain: one buffer, no larger than the limit.</summary>
internal sealed class LentTask : ScsiTask
{
    private readonly byte[]? _kept;
    private bool _lent;

    public LentTask()
    {
    }

    /// <summary>A task that lends the same buffer again and again.</summary>
    public LentTask(int kept) => _kept = new byte[kept];

    public void Again(ReadOnlySpan<byte> cdb)
    {
        Reset(cdb);
        _lent = false;
    }

    public override Memory<byte> LendDataIn(int length)
    {
        if (_lent || length < 1 || length > DataInLimit)
            throw new InvalidOperationException($"Asked for {length} bytes of {DataInLimit}, lent before: {_lent}.");
        _lent = true;
        if (_kept is not null)
            return _kept.AsMemory(0, length);
        var buffer = new byte[length];
        Array.Fill(buffer, (byte)0xEE);
        return buffer;
    }
}
