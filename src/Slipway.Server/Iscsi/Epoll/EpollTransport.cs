using System.Net.Sockets;
using Slipway.Iscsi.Target;

namespace Slipway.Server.Iscsi.Epoll;

/// <summary>
/// A small number of event loops, each with a thread and its share of the connections. What a connection does, it does
/// on its loop's thread: no lock, no await, no context switch between a request and its answer.
/// </summary>
internal sealed class EpollTransport : ITransport
{
    /// <summary>More loops than this have never been measured to help.</summary>
    private const int MaxLoops = 8;
    private readonly EpollLoop[] _loops;

    public EpollTransport()
        : this(Math.Min(Environment.ProcessorCount, MaxLoops))
    {
    }

    public EpollTransport(int loops)
    {
        _loops = new EpollLoop[loops];
        for (var i = 0; i < loops; i++)
            _loops[i] = new EpollLoop($"iscsi {i}");
    }

    /// <summary>
    /// The loop with the fewest connections takes the next, of as many loops as there are processors now: taskset(1) and
    /// cpusets change that while a program runs, and two busy loops on one processor have each other's connections wait for
    /// whole time slices.
    /// </summary>
    public ITransportConnection Open(Socket socket, TargetNode node) =>
        new EpollConnection(socket, node, _loops.Take(Native.Processors()).MinBy(l => l.Connections)!);

    public ValueTask DisposeAsync()
    {
        foreach (var loop in _loops)
            loop.Dispose();
        return ValueTask.CompletedTask;
    }
}
