using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Slipway.Dhcp.Leases;
using Slipway.Dhcp.Server;

namespace Slipway.Server.Dhcp;

/// <summary>
/// The sockets of DHCP on one interface: ports 67 and 4011. Packets are handled in the order of their arrival. Answers
/// that need a durable lease gather while more packets are there, so that one commit serves many. One thread of its own
/// does all of it for a port, and blocks in the kernel: a second one for the store only took the processor from those who
/// should read the answers, and the pool's hand-over of each packet cost as much as the answer.
/// </summary>
public sealed partial class DhcpListener : IAsyncDisposable
{
    /// <summary>Enough to share a sync; more would come as a burst that overflows the receive buffers of relays.</summary>
    private const int MaxBatch = 32;

    private const int ReceiveBuffer = 4 << 20;
    private const int MaxPacket = 1500;
    private static readonly IPEndPoint Any = new(IPAddress.Any, 0);

    private readonly string _interface;
    private readonly DhcpServer _server;
    private readonly ILeaseStore _store;
    private readonly IDhcpObserver _observer;
    private readonly IAddressProbe _probe;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<Thread> _loops = [];
    private readonly List<Socket> _sockets = [];
    private LinkLayerSender? _link;

    /// <param name="probe">Null: addresses are offered without a probe.</param>
    public DhcpListener(string interfaceName, DhcpServer server, ILeaseStore store, IDhcpObserver observer, ILogger logger, IAddressProbe? probe = null)
    {
        _interface = interfaceName;
        _server = server;
        _store = store;
        _observer = observer;
        _logger = logger;
        _probe = probe ?? NoProbe.Instance;
    }

    /// <summary>
    /// Opens the sockets, in the calling thread's network namespace, and serves until disposed. Throws SocketException
    /// where a port is taken or not allowed.
    /// </summary>
    public void Start()
    {
        try
        {
            _link = LinkLayerSender.TryOpen(_interface);
            if (_link is null)
                LogBroadcastOnly(_interface);
            foreach (var port in (int[])[DhcpServer.Port, DhcpServer.BootServerPort])
                _sockets.Add(Open(port));
        }
        catch (SocketException)
        {
            CloseSockets();
            throw;
        }
        foreach (var socket in _sockets)
        {
            var loop = new Thread(() => Receive(socket)) { IsBackground = true, Name = $"DHCP {_interface}" };
            _loops.Add(loop);
            loop.Start();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        // What wakes the threads.
        foreach (var socket in _sockets)
            socket.Dispose();
        foreach (var loop in _loops)
            loop.Join();
        _link?.Dispose();
        _stopping.Dispose();
    }

    private void CloseSockets()
    {
        foreach (var socket in _sockets)
            socket.Dispose();
        _link?.Dispose();
    }

    private Socket Open(int port) => SocketOptions.SetUp(new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp), s =>
    {
        s.EnableBroadcast = true;
        SocketOptions.EnlargeReceiveBuffer(s, ReceiveBuffer);
        // Another server may listen on other interfaces, and each interface has a listener of its own.
        SocketOptions.BindToInterface(s, _interface);
        s.Bind(new IPEndPoint(IPAddress.Any, port));
    });

    private void Receive(Socket socket)
    {
        var port = ((IPEndPoint)socket.LocalEndPoint!).Port;
        var buffer = new byte[MaxPacket];
        var from = new SocketAddress(AddressFamily.InterNetwork);
        var batch = new List<DhcpOutcome>(MaxBatch);
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                var length = socket.ReceiveFrom(buffer, SocketFlags.None, from);
                var source = (IPEndPoint)Any.Create(from);
                Handle(buffer.AsSpan(0, length).ToArray(), new Arrival(_interface, source.Address, source.Port, port), socket, batch);
                if (batch.Count > 0 && batch.Count < MaxBatch && socket.Available > 0)
                    continue;
            }
            catch (Exception e) when ((e is SocketException or ObjectDisposedException) && _stopping.IsCancellationRequested)
            {
                return;
            }
            catch (SocketException e)
            {
                // ICMP errors of earlier sends, a datagram larger than any DHCP message, an interface that is down.
                LogReceiveFailed(_interface, e.Message);
            }
            if (batch.Count > 0)
                Commit(batch, socket);
        }
    }

    private void Handle(byte[] packet, Arrival arrival, Socket socket, List<DhcpOutcome> batch)
    {
        var outcome = _server.Handle(packet, arrival);
        // Others are served while a probe waits; its own failures end in the log.
        if (outcome.Probe is not null && _probe is not NoProbe)
            _ = ProbeAsync(outcome, packet, arrival, socket);
        else if (outcome.Lease is not null)
            batch.Add(outcome);
        else
            Finish(outcome, socket);
    }

    private async Task ProbeAsync(DhcpOutcome outcome, byte[] packet, Arrival arrival, Socket socket)
    {
        try
        {
            while (outcome.Probe is { } address && await _probe.AnswersAsync(address, _stopping.Token))
            {
                var conflict = _server.ReportConflict(address);
                LogConflict(_interface, conflict.Text);
                _observer.Observe(conflict);
                outcome = _server.Handle(packet, arrival);
            }
            Finish(outcome, socket);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
        }
        catch (ObjectDisposedException) when (_stopping.IsCancellationRequested)
        {
        }
    }

    private void Commit(List<DhcpOutcome> batch, Socket socket)
    {
        try
        {
            _store.CommitAsync(batch.Select(o => o.Lease!).ToArray()).AsTask().GetAwaiter().GetResult();
            foreach (var outcome in batch)
                Finish(outcome, socket);
        }
        catch (LeaseStoreException e)
        {
            // No acknowledgement without a durable lease: the clients ask again.
            LogCommitFailed(_interface, batch.Count, e.Message);
        }
        batch.Clear();
    }

    private void Finish(DhcpOutcome outcome, Socket socket)
    {
        if (outcome.Reply is { } reply)
            Send(reply, socket);
        Log(outcome.Event);
        _observer.Observe(outcome.Event);
    }

    private void Send(DhcpReply reply, Socket socket)
    {
        try
        {
            if (reply.Link is { } hardware && _link is not null)
            {
                _link.Send(reply.Packet, DhcpServer.Port, reply.Address, reply.Port, hardware, SourceOf(reply));
                return;
            }
            var address = reply.Link is null ? reply.Address : IPAddress.Broadcast;
            socket.SendTo(reply.Packet, new IPEndPoint(address, reply.Port));
        }
        catch (SocketException e)
        {
            LogSendFailed(_interface, reply.Address, e.Message);
        }
    }

    // Option 54 is always the second option: it follows the message type.
    private static IPAddress SourceOf(DhcpReply reply) => new(reply.Packet.AsSpan(ServerIdentifierOffset, 4));

    private const int ServerIdentifierOffset = 240 + 3 + 2;
}
