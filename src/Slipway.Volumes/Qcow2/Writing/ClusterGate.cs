namespace Slipway.Volumes.Qcow2.Writing;

/// <summary>Lets one at a time change where a cluster of the disk is.</summary>
internal sealed class ClusterGate
{
    private readonly Dictionary<long, TaskCompletionSource?> _inside = [];

    public async ValueTask EnterAsync(long cluster, CancellationToken cancellation)
    {
        while (true)
        {
            Task left;
            lock (_inside)
            {
                if (!_inside.TryGetValue(cluster, out var waited))
                {
                    _inside.Add(cluster, null);
                    return;
                }
                // Made by the first who has to wait: mostly nobody has.
                if (waited is null) _inside[cluster] = waited = new(TaskCreationOptions.RunContinuationsAsynchronously);
                left = waited.Task;
            }
            await left.WaitAsync(cancellation);
        }
    }

    public void Leave(long cluster)
    {
        TaskCompletionSource? waited;
        lock (_inside) _inside.Remove(cluster, out waited);
        waited?.SetResult();
    }
}
