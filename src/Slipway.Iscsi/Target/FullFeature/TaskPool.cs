namespace Slipway.Iscsi.Target.FullFeature;

/// <summary>Task objects between two commands.</summary>
internal sealed class TaskPool
{
    private const int Keep = 1024;
    private readonly Lock _gate = new();
    private readonly Stack<TargetTask> _free = new();

    public TargetTask Rent()
    {
        lock (_gate)
        {
            if (_free.TryPop(out var task))
                return task;
        }
        return new TargetTask();
    }

    public void Return(TargetTask task)
    {
        lock (_gate)
        {
            if (_free.Count < Keep)
                _free.Push(task);
        }
    }
}
