using Slipway.Scsi.Commands.Copy;

namespace Slipway.Scsi;

/// <summary>
/// An I_T_L nexus (SAM-5 §4.7.1): one nexus seen from one unit, with the unit attention conditions that wait for it.
/// </summary>
internal sealed class UnitNexus(LogicalUnit unit, PortNexus port)
{
    // A reset clears older conditions anyway, so what is left is one of each kind: more than these are never pending.
    private const int MaxAttentions = 16;

    private readonly Lock _lock = new();
    private readonly List<SenseCode> _attentions = [];
    private volatile bool _hasAttention;
    private CopyResults? _copies;

    public LogicalUnit Unit { get; } = unit;

    public PortNexus Port { get; } = port;

    /// <summary>The last of <see cref="RemovableMedium.Moves"/> that this nexus has been told of.</summary>
    public int SeenMoves { get; set; }

    public bool HasAttention => _hasAttention;

    /// <summary>Copies that were begun here; made when the first is.</summary>
    public CopyResults Copies => LazyInitializer.EnsureInitialized(ref _copies);

    /// <summary>A reset forgets what is kept of copies that have ended.</summary>
    public void ForgetCopies() => Volatile.Read(ref _copies)?.ForgetEnded();

    /// <summary>Completes when the transport has none of its commands to the unit any more.</summary>
    public Task AbortTaskSetAsync()
    {
        var lun = Array.IndexOf(Port.Units, this);
        return lun >= 0 && Port.AbortTaskSet is { } abort ? abort(LogicalUnitNumber.Encode((byte)lun)) : Task.CompletedTask;
    }

    /// <summary>SAM-5 §5.14.1: establishes a unit attention; a condition that already waits is not queued twice.</summary>
    public void Establish(SenseCode attention)
    {
        lock (_lock)
        {
            if (_attentions.Contains(attention) || _attentions.Count == MaxAttentions)
                return;
            _attentions.Add(attention);
            _hasAttention = true;
        }
    }

    /// <summary>SAM-5 §5.14.4: a reset takes the place of every condition before it.</summary>
    public void ClearAttentions()
    {
        lock (_lock)
        {
            _attentions.Clear();
            _hasAttention = false;
        }
    }

    /// <summary>The oldest condition, which reporting clears.</summary>
    public bool TryTakeAttention(out SenseCode attention)
    {
        lock (_lock)
        {
            if (_attentions.Count == 0)
            {
                attention = default;
                return false;
            }

            attention = _attentions[0];
            _attentions.RemoveAt(0);
            _hasAttention = _attentions.Count > 0;
            return true;
        }
    }

    public bool TryTakeAttention(SenseCode attention)
    {
        lock (_lock)
        {
            var taken = _attentions.Remove(attention);
            _hasAttention = _attentions.Count > 0;
            return taken;
        }
    }
}
