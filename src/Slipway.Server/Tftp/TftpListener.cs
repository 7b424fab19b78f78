using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Slipway.Tftp.Server;

namespace Slipway.Server.Tftp;

/// <summary>
/// The sockets of TFTP: one that takes requests, and one for each transfer (RFC 1350 §4). A request beyond
/// <see cref="MaxTransfers"/> is dropped: the client repeats it, and by then another may have ended.
/// </summary>
public sealed partial class TftpListener : IAsyncDisposable
{
    private const int MaxRequest = 2048;
    private const int ReceiveBuffer = 1 << 20;

    private readonly IPEndPoint _endpoint;
    private readonly TftpServer _server;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<IPEndPoint, Task> _transfers = [];
    private readonly Func<Socket> _newSocket;
    private Socket? _socket;
    private Task _loop = Task.CompletedTask;

    /// <param name="endpoint">Address and port, usually 69, of one network.</param>
    /// <param name="newSocket">Makes UDP sockets: for a server whose threads are not all in one network namespace.</param>
    public TftpListener(IPEndPoint endpoint, TftpServer server, TimeProvider clock, ILogger logger, Func<Socket>? newSocket = null)
    {
        _endpoint = endpoint;
        _server = server;
        _clock = clock;
        _logger = logger;
        _newSocket = newSocket ?? (() => new Socket(endpoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp));
    }

    public int MaxTransfers { get; init; } = 1000;

    /// <summary>The address served, with the port that the system chose where 0 was asked for.</summary>
    public IPEndPoint Endpoint => (IPEndPoint)(_socket?.LocalEndPoint ?? _endpoint);

    /// <summary>Throws SocketException where the port is taken or not allowed.</summary>
    public void Start()
    {
        var socket = SocketOptions.SetUp(_newSocket(), s =>
        {
            s.ReceiveBufferSize = ReceiveBuffer;
            s.Bind(_endpoint);
        });
        _socket = socket;
        _loop = Task.Run(() => ReceiveAsync(socket));
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _loop;
        await Task.WhenAll(_transfers.Values);
        _socket?.Dispose();
        _stopping.Dispose();
    }

    private async Task ReceiveAsync(Socket socket)
    {
        var buffer = new byte[MaxRequest];
        var any = new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        // With a wildcard address the answer must come from the address that was asked.
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                var received = await socket.ReceiveMessageFromAsync(buffer, SocketFlags.None, any, _stopping.Token);
                Accept(buffer.AsSpan(0, received.ReceivedBytes), (IPEndPoint)received.RemoteEndPoint, received.PacketInformation.Address);
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (SocketException e)
            {
                LogSocketFailed(_endpoint, e.Message);
            }
        }
    }

    private void Accept(ReadOnlySpan<byte> packet, IPEndPoint client, IPAddress local)
    {
        // A client that repeats its request while its transfer runs lost the first packet: that is sent again anyway.
        if (_transfers.ContainsKey(client))
            return;
        if (_transfers.Count >= MaxTransfers)
        {
            LogBusy(_endpoint, client, MaxTransfers);
            return;
        }
        var socket = _newSocket();
        try
        {
            socket.Bind(new IPEndPoint(local, 0));
            // Connected: packets from elsewhere do not get into the transfer.
            socket.Connect(client);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            LogSocketFailed(client, e.Message);
            return;
        }
        var transfer = _server.Accept(packet, client, data => Send(socket, data), out var name, out var refusal);
        if (transfer is null)
        {
            if (refusal is not null)
            {
                LogRefused(client, refusal.Name, refusal.Reason);
                Send(socket, refusal.Packet);
            }
            socket.Dispose();
            return;
        }
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _transfers[client] = done.Task;
        _ = Task.Run(async () =>
        {
            await RunAsync(transfer, socket, client, name);
            _transfers.TryRemove(client, out _);
            done.SetResult();
        });
    }

    private async Task RunAsync(TftpTransfer transfer, Socket socket, IPEndPoint client, string name)
    {
        using (socket)
        using (transfer)
        {
            var buffer = new byte[TftpServer.MaxClientPacket];
            transfer.Start();
            while (transfer.State == TftpTransferState.Running && !_stopping.IsCancellationRequested)
            {
                using var timer = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
                var wait = transfer.Deadline - _clock.GetUtcNow();
                timer.CancelAfter(wait > TimeSpan.Zero ? wait : TimeSpan.Zero);
                try
                {
                    var length = await socket.ReceiveAsync(buffer, SocketFlags.None, timer.Token);
                    transfer.OnPacket(buffer.AsSpan(0, length));
                }
                catch (OperationCanceledException)
                {
                    transfer.OnTime();
                }
                catch (SocketException)
                {
                    // The client's port is closed: it is gone, or it will ask again from another one.
                    transfer.OnClientGone();
                }
            }
            _server.Ended(transfer, client, name);
            LogEnded(name, client, transfer.State, transfer.Acknowledged, transfer.Elapsed.TotalMilliseconds, transfer.Reason);
        }
    }

    private void Send(Socket socket, ReadOnlyMemory<byte> packet)
    {
        try
        {
            socket.Send(packet.Span);
        }
        catch (SocketException e)
        {
            // As good as lost on the way: the transfer sends it again, or gives up.
            LogSocketFailed((IPEndPoint?)socket.RemoteEndPoint ?? _endpoint, e.Message);
        }
    }

    [LoggerMessage(2101, LogLevel.Information, "tftp: {Name} to {Client}: {State}, {Bytes} bytes in {Milliseconds:F0} ms {Reason}")]
    private partial void LogEnded(string name, IPEndPoint client, TftpTransferState state, long bytes, double milliseconds, string reason);

    // No warning: every iPXE asks for an autoexec.ipxe first that nobody has to have.
    [LoggerMessage(2104, LogLevel.Information, "tftp: {Client} is refused '{Name}': {Reason}")]
    private partial void LogRefused(IPEndPoint client, string name, string reason);

    [LoggerMessage(2102, LogLevel.Warning, "tftp {Endpoint}: {Client} must wait, {Count} transfers run")]
    private partial void LogBusy(IPEndPoint endpoint, IPEndPoint client, int count);

    [LoggerMessage(2103, LogLevel.Debug, "tftp {Endpoint}: {Reason}")]
    private partial void LogSocketFailed(IPEndPoint endpoint, string reason);
}
