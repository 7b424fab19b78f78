using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Slipway.Dhcp.Leases;
using Slipway.Dhcp.Server;
using Slipway.Dhcp.V6.Server;

namespace Slipway.Server.Dhcp;

/// <summary>
/// The socket of DHCPv6 on one interface: port 547 in the groups that clients and relays send to. Packets are handled in
/// the order of their arrival by a thread of its own; answers that need a durable lease gather while more packets are there.
/// </summary>
public sealed partial class Dhcp6Listener : IAsyncDisposable
{
    private const int MaxBatch = 32;
    private const int ReceiveBuffer = 4 << 20;
    private const int MaxPacket = 1500;

    private readonly string _interface;
    private readonly Dhcp6Server _server;
    private readonly ILeaseStore _store;
    private readonly IDhcpObserver _observer;
    private readonly ILogger _logger;
    private volatile bool _stopping;
    private Socket? _socket;
    private Thread? _loop;

    public Dhcp6Listener(string interfaceName, Dhcp6Server server, ILeaseStore store, IDhcpObserver observer, ILogger logger) =>
        (_interface, _server, _store, _observer, _logger) = (interfaceName, server, store, observer, logger);

    /// <summary>
    /// Opens the socket, in the calling thread's network namespace, and serves until disposed. Throws SocketException where
    /// the port is taken or not allowed, or the interface has no IPv6.
    /// </summary>
    public void Start()
    {
        var socket = SocketOptions.SetUp(new(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp) { DualMode = false }, s =>
        {
            SocketOptions.EnlargeReceiveBuffer(s, ReceiveBuffer);
            SocketOptions.BindToInterface(s, _interface);
            s.Bind(new IPEndPoint(IPAddress.IPv6Any, Dhcp6Server.Port));
            var index = PacketEndPoint.IndexOf(_interface);
            foreach (var group in (IPAddress[])[Dhcp6Server.LinkGroup, Dhcp6Server.SiteGroup])
                s.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.AddMembership, new IPv6MulticastOption(group, index));
        });
        _socket = socket;
        _loop = new Thread(() => Receive(socket)) { IsBackground = true, Name = $"DHCPv6 {_interface}" };
        _loop.Start();
    }

    public ValueTask DisposeAsync()
    {
        _stopping = true;
        // What wakes the thread.
        _socket?.Dispose();
        _loop?.Join();
        return ValueTask.CompletedTask;
    }

    private void Receive(Socket socket)
    {
        var buffer = new byte[MaxPacket];
        var batch = new List<(Dhcp6Outcome Outcome, EndPoint Client)>(MaxBatch);
        while (!_stopping)
        {
            try
            {
                EndPoint client = new IPEndPoint(IPAddress.IPv6Any, 0);
                var length = socket.ReceiveFrom(buffer, ref client);
                var outcome = _server.Handle(buffer.AsSpan(0, length).ToArray(), new Dhcp6Arrival(_interface, ((IPEndPoint)client).Address));
                if (outcome.Leases.Count > 0)
                    batch.Add((outcome, client));
                else
                    Finish(outcome, client, socket);
                if (batch.Count > 0 && batch.Count < MaxBatch && socket.Available > 0)
                    continue;
            }
            catch (Exception e) when ((e is SocketException or ObjectDisposedException) && _stopping)
            {
                return;
            }
            catch (SocketException e)
            {
                // ICMP errors of earlier sends, a datagram larger than any that is taken, an interface that is down.
                LogReceiveFailed(_interface, e.Message);
            }
            if (batch.Count > 0)
                Commit(batch, socket);
        }
    }

    private void Commit(List<(Dhcp6Outcome Outcome, EndPoint Client)> batch, Socket socket)
    {
        try
        {
            _store.CommitAsync(batch.SelectMany(b => b.Outcome.Leases).ToArray()).AsTask().GetAwaiter().GetResult();
            foreach (var (outcome, client) in batch)
                Finish(outcome, client, socket);
        }
        catch (LeaseStoreException e)
        {
            // No answer without a durable lease: the clients ask again.
            LogCommitFailed(_interface, batch.Count, e.Message);
        }
        batch.Clear();
    }

    private void Finish(Dhcp6Outcome outcome, EndPoint client, Socket socket)
    {
        if (outcome.Reply is { } reply)
        {
            try
            {
                socket.SendTo(reply, client);
            }
            catch (SocketException e)
            {
                LogSendFailed(_interface, client, e.Message);
            }
        }
        Log(outcome.Event);
        _observer.Observe(outcome.Event);
    }

    private void Log(DhcpEvent e)
    {
        switch (DhcpEventLevel.Of(e.Kind))
        {
            case LogLevel.Warning:
                LogWarning(_interface, e.Text);
                break;
            case LogLevel.Debug when _logger.IsEnabled(LogLevel.Debug):
                LogDetail(_interface, e.Text);
                break;
            case LogLevel.Information when _logger.IsEnabled(LogLevel.Information):
                LogAnswered(_interface, e.Text);
                break;
        }
    }

    [LoggerMessage(2021, LogLevel.Information, "dhcpv6 {Interface}: {Text}")]
    private partial void LogAnswered(string @interface, string text);

    [LoggerMessage(2022, LogLevel.Debug, "dhcpv6 {Interface}: {Text}")]
    private partial void LogDetail(string @interface, string text);

    [LoggerMessage(2023, LogLevel.Warning, "dhcpv6 {Interface}: {Text}")]
    private partial void LogWarning(string @interface, string text);

    [LoggerMessage(2025, LogLevel.Error, "dhcpv6 {Interface}: {Count} answers withheld, the leases could not be stored: {Reason}")]
    private partial void LogCommitFailed(string @interface, int count, string reason);

    [LoggerMessage(2026, LogLevel.Warning, "dhcpv6 {Interface}: the answer to {Client} could not be sent: {Reason}")]
    private partial void LogSendFailed(string @interface, EndPoint client, string reason);

    [LoggerMessage(2027, LogLevel.Warning, "dhcpv6 {Interface}: receiving failed: {Reason}")]
    private partial void LogReceiveFailed(string @interface, string reason);
}
