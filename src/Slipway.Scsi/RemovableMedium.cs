namespace Slipway.Scsi;

/// <summary>
/// A medium that initiators may take out and put back (SBC-3 §5.25, LOEJ), and who of them wants it to stay in (SBC-3
/// §5.10). It is a file, so nobody's hand puts it back: a reset and the last initiator's leaving do, or a machine that
/// ejected its disk could not boot from it again.
/// </summary>
/// <remarks>Thread-safe.</remarks>
/// <param name="preventsLoading">Whether prevention keeps a medium that is out from being loaded, too.</param>
internal sealed class RemovableMedium(bool preventsLoading)
{
    private readonly Lock _lock = new();
    private readonly HashSet<UnitNexus> _preventing = [];
    private volatile bool _isEjected;
    private volatile int _moves;

    public bool IsEjected => _isEjected;

    /// <summary>How often the medium was ejected or loaded.</summary>
    public int Moves => _moves;

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
            Move(ejects: true);
            return true;
        }
    }

    /// <summary>False where somebody prevents it.</summary>
    public bool TryLoad(out bool wasEjected)
    {
        lock (_lock)
        {
            wasEjected = _isEjected;
            if (wasEjected && preventsLoading && _preventing.Count > 0)
                return false;
            Move(ejects: false);
            return true;
        }
    }

    /// <summary>Back to the initial conditions: in, and free to be taken out.</summary>
    public void Reset()
    {
        lock (_lock)
        {
            _preventing.Clear();
            Move(ejects: false);
        }
    }

    private void Move(bool ejects)
    {
        if (_isEjected != ejects)
            _moves++;
        _isEjected = ejects;
    }
}
