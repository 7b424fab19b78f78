namespace Slipway.Iscsi.Target.FullFeature;

/// <summary>The payload that the commands of one connection hold, in bytes, and its bound.</summary>
internal sealed class TransferAccount(int limit)
{
    private long _charged;

    /// <summary>Raises what a command is charged with to so many bytes; false where all would be too much. One command always fits.</summary>
    public bool TryCharge(TargetTask task, int bytes)
    {
        var more = bytes - task.Charge;
        if (more > 0 && _charged > task.Charge && _charged + more > limit)
            return false;
        _charged += more;
        task.Charge = bytes;
        return true;
    }

    public void Discharge(TargetTask task)
    {
        _charged -= task.Charge;
        task.Charge = 0;
    }
}
