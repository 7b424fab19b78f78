using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Slipway.Iscsi.Target;
using Slipway.Scsi;
using Slipway.Server.Iscsi.Epoll;
using Slipway.Server.Iscsi.Sockets;

namespace Slipway.Server.Iscsi;

/// <summary>The portals of the iSCSI target: accepts connections and serves each until it ends.</summary>
public sealed partial class IscsiListener : IAsyncDisposable
{
    /// <summary>Connections at a time, logged in or not.</summary>
    private const int MaxConnections = 8192;
    private const int Backlog = 512;
    private static readonly TimeSpan DeadlineStep = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FarewellTime = TimeSpan.FromSeconds(1);

    /// <summary>A connection on which nothing was sent for one to two of these gets a NOP-In.</summary>
    private static readonly TimeSpan KeepAliveStep = TimeSpan.FromSeconds(30);

    private readonly IReadOnlyList<IPEndPoint> _portals;
    private readonly TargetNode _node;
    private readonly DrainableDirectory _directory;
    private readonly ITransport _transport;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<ITransportConnection, Task> _connections = [];
    private readonly DescriptorReserve _descriptors = DescriptorReserve.OfProcess();
    private readonly List<Socket> _sockets = [];
    private readonly List<Task> _loops = [];

    public IscsiListener(IReadOnlyList<IPEndPoint> portals, ITargetDirectory directory, ITargetObserver observer, TimeProvider time, ILogger logger)
        : this(portals, directory, observer, time, logger, OperatingSystem.IsLinux() ? new EpollTransport() : new SocketTransport())
    {
    }

    internal IscsiListener(
        IReadOnlyList<IPEndPoint> portals, ITargetDirectory directory, ITargetObserver observer, TimeProvider time, ILogger logger,
        ITransport transport)
    {
        _portals = portals;
        _transport = transport;
        _time = time;
        _logger = logger;
        _directory = new DrainableDirectory(directory);
        _node = new TargetNode(_directory, new LoggingObserver(observer, logger), time);
    }

    /// <summary>The bound portals, once started; a port 0 is the one that was given.</summary>
    public IReadOnlyList<IPEndPoint> Endpoints { get; private set; } = [];

    /// <summary>Opens the portals in the calling thread's network namespace. Throws SocketException where one is taken.</summary>
    public void Start()
    {
        try
        {
            foreach (var portal in _portals)
                _sockets.Add(Listen(portal));
        }
        catch (SocketException)
        {
            CloseSockets();
            throw;
        }
        Endpoints = [.. _sockets.Select(s => (IPEndPoint)s.LocalEndPoint!)];
        foreach (var socket in _sockets)
            _loops.Add(Task.Run(() => AcceptAsync(socket)));
        // Their timers are there when this returns.
        _loops.Add(EachAsync(DeadlineStep, CheckDeadlines));
        _loops.Add(EachAsync(KeepAliveStep, KeepAlive));
        foreach (var endpoint in Endpoints)
            LogListening(endpoint);
    }

    /// <inheritdoc cref="TargetNode.SessionsOf"/>
    public IReadOnlyList<LoginFacts> SessionsOf(ScsiTargetDevice device) => _node.SessionsOf(device);

    /// <inheritdoc cref="TargetNode.EndSessionsAsync"/>
    public Task EndSessionsAsync(ScsiTargetDevice device, string reason) => _node.EndSessionsAsync(device, reason);

    /// <summary>
    /// Asks all initiators to log out, and admits no other. Completes when none is left, or the time is over; the sessions
    /// that are left then end with <see cref="DisposeAsync"/>.
    /// </summary>
    public async Task DrainAsync(TimeSpan within)
    {
        _directory.IsDraining = true;
        Task[] running;
        lock (_gate)
        {
            running = [.. _connections.Values];
            foreach (var connection in _connections.Keys)
                connection.Target.RequestLogout(within);
        }
        LogDraining(running.Length, within.TotalSeconds);
        await Task.WhenAny(Task.WhenAll(running), Task.Delay(within, _time));
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        CloseSockets();
        await Task.WhenAll(_loops);
        Task[] running;
        lock (_gate)
        {
            running = [.. _connections.Values];
            foreach (var connection in _connections.Keys)
                connection.Target.Drop("the server stops");
        }
        // A peer that takes no more bytes is not waited for.
        await Task.WhenAny(Task.WhenAll(running), Task.Delay(FarewellTime));
        lock (_gate)
        {
            foreach (var connection in _connections.Keys)
                connection.Abort();
        }
        await Task.WhenAll(running);
        await _transport.DisposeAsync();
        _stopping.Dispose();
    }

    private static Socket Listen(IPEndPoint portal) => SocketOptions.SetUp(new(portal.AddressFamily, SocketType.Stream, ProtocolType.Tcp), s =>
    {
        if (portal.Address.Equals(IPAddress.IPv6Any))
            s.DualMode = true;
        s.Bind(portal);
        s.Listen(Backlog);
    });

    private void CloseSockets()
    {
        foreach (var socket in _sockets)
            socket.Dispose();
    }

    private async Task AcceptAsync(Socket listener)
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await AwaitDescriptorsAsync(listener);
                Admit(await listener.AcceptAsync(_stopping.Token));
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (ObjectDisposedException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (SocketException e)
            {
                if (_stopping.IsCancellationRequested)
                    return;
                // A connection that was gone before it was accepted, or no descriptors left: others go on.
                LogAcceptFailed(e.Message);
                if (e.SocketErrorCode is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable)
                    await Task.Delay(DeadlineStep, _time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Connections for which there are no descriptors wait in the backlog of their portal.</summary>
    private async Task AwaitDescriptorsAsync(Socket listener)
    {
        if (!_descriptors.IsAllThatIsLeft(listener.SafeHandle))
            return;
        LogOutOfDescriptors((IPEndPoint)listener.LocalEndPoint!, _descriptors.ForPeers, _descriptors.Limit);
        do
            await Task.Delay(DeadlineStep, _time, _stopping.Token);
        while (_descriptors.IsAllThatIsLeft(listener.SafeHandle));
    }

    private void Admit(Socket socket)
    {
        ITransportConnection connection;
        try
        {
            socket.NoDelay = true;
            connection = _transport.Open(socket, _node);
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }
        lock (_gate)
        {
            if (_connections.Count < MaxConnections)
            {
                _connections.Add(connection, Task.Run(() => ServeAsync(connection)));
                return;
            }
        }
        LogFull(connection.Remote, MaxConnections);
        socket.Dispose();
    }

    private async Task ServeAsync(ITransportConnection connection)
    {
        var run = connection.RunAsync();
        await run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
            _connections.Remove(connection);
        if ((run.Exception?.InnerException ?? connection.Target.Fault) is { } fault)
            LogFault(fault, connection.Remote);
        if (connection.Target.Facts is null)
            LogNameless(connection.Remote, connection.Target.EndReason ?? "");
    }

    private async Task EachAsync(TimeSpan step, Action act)
    {
        using var timer = new PeriodicTimer(step, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
                act();
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
        }
    }

    private void KeepAlive()
    {
        lock (_gate)
        {
            foreach (var connection in _connections.Keys)
                connection.Target.KeepAlive();
        }
    }

    private void CheckDeadlines()
    {
        var now = _time.GetUtcNow();
        List<ITransportConnection>? late = null;
        lock (_gate)
        {
            foreach (var connection in _connections.Keys)
            {
                if (now >= connection.Target.LoginDeadline)
                    (late ??= []).Add(connection);
            }
        }
        late?.ForEach(c => c.CheckDeadline(now));
    }
}
