namespace Slipway.Scsi;

/// <summary>
/// A medium that initiators may take out and put back (SBC-3 §5.22, LOEJ), and who of them wants it to stay in (SBC-3
/// §5.15). It is a file, so nobody's hand puts it back: a reset and the last initiator's leaving do, or a machine that
/// ejected its disk could not boot from it again.
/// </summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class RemovableMedium
{
    private readonly Lock _lock = new();
    private readonly HashSet<UnitNexus> _preventing = [];
    private volatile bool _isEjected;

    public bool IsEjected => _isEjected;

    /// <summary>True while any nexus prevents removal.</summary>
    public bool IsPrevented
    {
        get
        {
            lock (_lock)
                return _preventing.Count > 0;
        }
    }

    public void Prevent(UnitNexus nexus)
    {
        lock (_lock)
            _preventing.Add(nexus);
    }

    public void Allow(UnitNexus nexus)
    {
        lock (_lock)
            _preventing.Remove(nexus);
    }

    /// <summary>False where somebody prevents it.</summary>
    public bool TryEject()
    {
        lock (_lock)
        {
            if (_preventing.Count > 0)
                return false;
            _isEjected = true;
            return true;
        }
    }

    /// <summary>True where the medium was out.</summary>
    public bool Load()
    {
        lock (_lock)
        {
            var wasEjected = _isEjected;
            _isEjected = false;
            return wasEjected;
        }
    }

    /// <summary>Back to the initial conditions: in, and free to be taken out.</summary>
    public void Reset()
    {
        lock (_lock)
        {
            _preventing.Clear();
            _isEjected = false;
        }
    }
}
