using System.Net;
using System.Net.Sockets;
using Slipway.Iscsi.Target;

namespace Slipway.Server.Iscsi;

/// <summary>
/// How accepted sockets are served. <see cref="Sockets.SocketTransport"/> is the readable one, for every system;
/// <see cref="Epoll.EpollTransport"/> the quick one, for Linux. Their tests are the same.
/// </summary>
internal interface ITransport : IAsyncDisposable
{
    /// <summary>Takes a connected socket over. Nothing happens on it before <see cref="ITransportConnection.RunAsync"/>.</summary>
    ITransportConnection Open(Socket socket, TargetNode node);
}

/// <summary>One connection: its socket, and the <see cref="TargetConnection"/> that the transport drives.</summary>
internal interface ITransportConnection
{
    IPEndPoint Remote { get; }

    TargetConnection Target { get; }

    /// <summary>Serves the connection; completes when nothing of it is left.</summary>
    Task RunAsync();

    /// <summary>Has <see cref="TargetConnection.CheckDeadline"/> called; from any thread.</summary>
    void CheckDeadline(DateTimeOffset now);

    /// <summary>Ends the connection from outside, from any thread; its session ends as after a broken line.</summary>
    void Abort();
}
