using Slipway.Iscsi.Pdu;

namespace Slipway.Iscsi.Target.FullFeature;

/// <summary>
/// Commands that were sent before an immediate task management function, and come after it by another connection: the
/// function reaches them too, and is answered when the last of them has come (RFC 7143 §4.2.3.3 b).
/// </summary>
internal sealed class LateCommands(CommandWindow window)
{
    private readonly List<Wait> _waits = [];

    private sealed record Wait(uint Before, Func<TargetTask, bool> Which, Action Then);

    public bool AreMissing(uint before) => SerialNumber.IsBefore(window.Expected, before);

    public void Await(uint before, Func<TargetTask, bool> which, Action then) => _waits.Add(new(before, which, then));

    public bool Include(TargetTask task)
    {
        foreach (var wait in _waits)
        {
            if (wait.Which(task))
                return true;
        }
        return false;
    }

    /// <summary>More has come.</summary>
    public void Check()
    {
        for (var i = _waits.Count - 1; i >= 0; i--)
        {
            if (AreMissing(_waits[i].Before))
                continue;
            var then = _waits[i].Then;
            _waits.RemoveAt(i);
            then();
        }
    }
}
