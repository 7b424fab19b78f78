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
        Assert.False(_lent, "Data-In is lent once per command");
        Assert.InRange(length, 1, DataInLimit);
        _lent = true;
        if (_kept is not null)
            return _kept.AsMemory(0, length);
        var buffer = new byte[length];
        Array.Fill(buffer, (byte)0xEE);
        return buffer;
    }
}
