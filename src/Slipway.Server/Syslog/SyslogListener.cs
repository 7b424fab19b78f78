using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Slipway.Server.Syslog;

/// <summary>The socket of syslog by UDP (RFC 5426) on one address. What comes faster than it is taken the kernel drops.</summary>
/// <param name="endpoint">Address and port, usually 514.</param>
/// <param name="take">Called for each datagram, one after the other.</param>
internal sealed partial class SyslogListener(IPEndPoint endpoint, Action<IPAddress, ReadOnlyMemory<byte>> take, ILogger logger) : IAsyncDisposable
{
    private const int ReceiveBuffer = 1 << 20;

    private readonly CancellationTokenSource _stopping = new();
    private Socket? _socket;
    private Task _loop = Task.CompletedTask;

    /// <summary>The address served, with the port that the system chose where 0 was asked for.</summary>
    public IPEndPoint Endpoint => (IPEndPoint)(_socket?.LocalEndPoint ?? endpoint);

    /// <summary>Throws SocketException where the port is taken or not allowed.</summary>
    public void Start()
    {
        var socket = SocketOptions.SetUp(new(endpoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp), s =>
        {
            SocketOptions.EnlargeReceiveBuffer(s, ReceiveBuffer);
            s.Bind(endpoint);
        });
        _socket = socket;
        _loop = Task.Run(() => ReceiveAsync(socket));
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _loop;
        _socket?.Dispose();
        _stopping.Dispose();
    }

    private async Task ReceiveAsync(Socket socket)
    {
        // What is longer the kernel cuts off.
        var buffer = new byte[SyslogMessage.MaxLength];
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                var received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, endpoint, _stopping.Token);
                take(((IPEndPoint)received.RemoteEndPoint).Address, buffer.AsMemory(0, received.ReceivedBytes));
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (SocketException e)
            {
                LogSocketFailed(endpoint, e.Message);
            }
        }
    }

    [LoggerMessage(2301, LogLevel.Debug, "syslog {Endpoint}: {Reason}")]
    private partial void LogSocketFailed(IPEndPoint endpoint, string reason);
}
