using Slipway.Iscsi.Pdu;
using Slipway.Scsi;

namespace Slipway.Iscsi.Target.FullFeature;

/// <summary>
/// The living commands of a session by their Initiator Task Tag, which all its connections share, and when the task
/// attributes let one begin (SAM-5 §8.6).
/// </summary>
/// <remarks>Commands of other sessions are not looked at: no initiator knows which of them are before its own.</remarks>
internal sealed class TaskTable
{
    private readonly Dictionary<uint, TargetTask> _tasks = [];
    private readonly List<TargetTask> _dormant = [];

    /// <summary>Commands with the ORDERED attribute.</summary>
    public int Ordered { get; private set; }

    /// <summary>Any command is dormant: it has had its turn, and waits for others to end.</summary>
    public bool HasDormant => _dormant.Count > 0;

    public bool Contains(uint tag) => _tasks.ContainsKey(tag);

    public TargetTask? Find(uint tag) => _tasks.GetValueOrDefault(tag);

    public TargetTask[] Where(Func<TargetTask, bool> which) => [.. _tasks.Values.Where(which)];

    public void Add(TargetTask task)
    {
        _tasks.Add((uint)task.Tag, task);
        Ordered += task.Attribute == TaskAttribute.Ordered ? 1 : 0;
    }

    public void Remove(TargetTask task)
    {
        _tasks.Remove((uint)task.Tag);
        Ordered -= task.Attribute == TaskAttribute.Ordered ? 1 : 0;
    }

    /// <summary>
    /// An ORDERED command begins when all before it have ended, and those after it begin when it has. True where the command has to
    /// wait, and does.
    /// </summary>
    public bool TryMakeDormant(TargetTask task)
    {
        if (Ordered == 0 || task.Attribute == TaskAttribute.HeadOfQueue || !HasBefore(task))
            return false;
        _dormant.Add(task);
        return true;
    }

    /// <summary>Takes the dormant commands of a connection: those that still have to wait are made dormant again.</summary>
    public TargetTask[] TakeDormant(FullFeaturePhase owner)
    {
        TargetTask[] tasks = [.. _dormant.Where(t => t.Phase == owner)];
        _dormant.RemoveAll(t => t.Phase == owner);
        return tasks;
    }

    // Apart from its caller: what captures a parameter is allocated when its method begins, and every command asks.
    private bool HasBefore(TargetTask task) => _tasks.Values.Any(older =>
        LogicalUnitNumber.AreSame(older.Lun, task.Lun) && SerialNumber.IsBefore(older.CmdSN, task.CmdSN) &&
        (older.Attribute == TaskAttribute.Ordered || task.Attribute == TaskAttribute.Ordered));
}
