using System.Net.Sockets;
using Slipway.Iscsi.Target;

namespace Slipway.Server.Iscsi.Sockets;

/// <summary>Every connection by itself, on the thread pool.</summary>
internal sealed class SocketTransport : ITransport
{
    public ITransportConnection Open(Socket socket, TargetNode node) => new SocketConnection(socket, node);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
