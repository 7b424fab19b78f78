using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Slipway.Dhcp.Server;
using Slipway.Dhcp.Wire;

namespace Slipway.Bench.Network.Storm;

/// <summary>The relay of the machines' network (RFC 1542), and each machine's own retries.</summary>
internal sealed class RelaySocket : IDisposable
{
    /// <summary>A client that has no answer by then sends again (RFC 2131 §4.1 says four seconds); that counts as a timeout here.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly ConcurrentDictionary<uint, TaskCompletionSource<(DhcpMessage Message, long Arrived)>> _waiting = [];
    private readonly IPAddress _address;
    private readonly IPEndPoint _server;

    public RelaySocket(IPAddress address, IPAddress server)
    {
        _address = address;
        _server = new IPEndPoint(server, DhcpServer.Port);
        _socket.ReceiveBufferSize = 4 << 20;
        _socket.Bind(new IPEndPoint(address, DhcpServer.Port));
        // A thread of its own: an answer's time is when it came, not when a pool had a thread for it.
        new Thread(Receive) { IsBackground = true }.Start();
    }

    /// <summary>The answer, and how long it took.</summary>
    /// <exception cref="TimeoutException">There was none.</exception>
    public async Task<(DhcpMessage Answer, TimeSpan Time)> AskAsync(DhcpMessage message)
    {
        var answered = new TaskCompletionSource<(DhcpMessage, long)>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[message.Xid] = answered;
        message.RelayAddress = _address;
        message.Hops = 1;
        var packet = DhcpMessageWriter.Write(message, DhcpMessageWriter.DefaultMaxLength, out _);
        var sent = Stopwatch.GetTimestamp();
        _socket.SendTo(packet, _server);
        try
        {
            var (answer, arrived) = await answered.Task.WaitAsync(Patience);
            return (answer, Stopwatch.GetElapsedTime(sent, arrived));
        }
        finally
        {
            _waiting.TryRemove(message.Xid, out _);
        }
    }

    public void Dispose() => _socket.Dispose();

    private void Receive()
    {
        var buffer = new byte[1500];
        try
        {
            while (true)
            {
                var length = _socket.Receive(buffer);
                var arrived = Stopwatch.GetTimestamp();
                if (length > 8 && _waiting.TryGetValue(BinaryPrimitives.ReadUInt32BigEndian(buffer.AsSpan(4)), out var waiting)
                    && DhcpMessageReader.TryRead(buffer.AsSpan(0, length).ToArray(), out var message, out _))
                    waiting.TrySetResult((message, arrived));
            }
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.Interrupted or SocketError.OperationAborted)
        {
            // Disposed.
        }
    }
}
