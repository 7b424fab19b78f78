using System.Diagnostics;
using System.Runtime.InteropServices;
using Slipway.Iscsi.Transfer;

namespace Slipway.Server.Iscsi.Epoll;

/// <summary>
/// One thread, one epoll set, one receive buffer, for many connections. Sockets are watched edge-triggered: a connection
/// remembers that it has more to receive, or that it could send no more, and no system call is spent on telling epoll so.
/// </summary>
internal sealed unsafe class EpollLoop : IDisposable
{
    private const int MaxEvents = 128;
    private const int MaxPieces = 256;

    // With the payload of a turn it stays in a core's second-level cache.
    private const int ReceiveBuffer = 128 * 1024;

    // About what it takes to wake a processor of a virtual machine and have the client answer.
    private static readonly TimeSpan PollingTime = TimeSpan.FromMicroseconds(50);
    private static readonly bool MayPoll = Environment.ProcessorCount > 1;

    private readonly Thread _thread;
    private readonly int _epoll = Native.CreateEpoll();
    private readonly int _event = Native.CreateEvent();
    private readonly byte* _events = (byte*)NativeMemory.Alloc((nuint)(MaxEvents * EpollEvent.Size));
    private readonly byte* _buffer = (byte*)NativeMemory.Alloc(ReceiveBuffer);
    private readonly IoVector* _vectors = (IoVector*)NativeMemory.Alloc(MaxPieces, (nuint)sizeof(IoVector));
    private readonly ArraySegment<byte>[] _pieces = new ArraySegment<byte>[MaxPieces];
    private readonly Lock _gate = new();
    private EpollConnection?[] _byFile = new EpollConnection?[64];
    private List<EpollConnection> _woken = [];
    private List<EpollConnection> _turning = [];
    private bool _signalled;

    // Whether anything is in _woken: to look costs no lock, which each turn would take twice.
    private volatile bool _hasWoken;
    private volatile bool _stopping;
    private PollingBudget _polling;
    private int _connections;

    public EpollLoop(string name)
    {
        Native.Checked(-Native.Watch(_epoll, _event, Native.In), "epoll_ctl");
        _thread = new Thread(Run) { Name = name, IsBackground = true };
        _thread.Start();
    }

    /// <summary>How many it has; for the choice of a loop.</summary>
    public int Connections => Volatile.Read(ref _connections);

    public void Join() => Interlocked.Increment(ref _connections);

    public void Leave() => Interlocked.Decrement(ref _connections);

    /// <summary>Has <see cref="EpollConnection.Turn"/> called soon. From any thread, and never from within a turn's own stack.</summary>
    public void Wake(EpollConnection connection)
    {
        lock (_gate)
        {
            if (connection.IsWoken)
                return;
            connection.IsWoken = true;
            _woken.Add(connection);
            _hasWoken = true;
            // The loop itself looks before it waits.
            if (_signalled || Thread.CurrentThread == _thread)
                return;
            _signalled = true;
        }
        Signal();
    }

    /// <summary>Watches a connection's socket from now on. On the loop only. 0, or an errno.</summary>
    public int Watch(int file, EpollConnection connection)
    {
        if (file >= _byFile.Length)
            Array.Resize(ref _byFile, Math.Max(file + 1, _byFile.Length * 2));
        _byFile[file] = connection;
        return Native.Watch(_epoll, file, Native.In | Native.Out | Native.ReadHangUp | Native.EdgeTriggered);
    }

    /// <summary>The socket is about to be closed, which takes it out of the epoll set.</summary>
    public void Forget(int file) => _byFile[file] = null;

    /// <summary>Receives what there is, up to a buffer full. The bytes are there until the next call; empty: see <paramref name="error"/>.</summary>
    /// <param name="error">An errno; 0 with no bytes: the peer has closed.</param>
    /// <param name="more">The buffer was too small for all that there was.</param>
    public ReadOnlySpan<byte> Receive(int socket, out int error, out bool more)
    {
        nint received;
        do
            received = Native.recv(socket, _buffer, ReceiveBuffer, Native.DontWait);
        while (received < 0 && Marshal.GetLastSystemError() == Native.EINTR);
        error = received < 0 ? Marshal.GetLastSystemError() : 0;
        more = received == ReceiveBuffer;
        return new(_buffer, (int)Math.Max(0, received));
    }

    /// <summary>Sends of the queue what the socket takes; returns how many bytes.</summary>
    /// <param name="error">An errno, where nothing was sent.</param>
    public long Send(int socket, SendQueue queue, out int error)
    {
        var count = queue.Peek(_pieces);
        for (var i = 0; i < count; i++)
        {
            // All that is in a send queue lies in buffers of a BufferPool, which do not move.
            var piece = _pieces[i];
            _vectors[i] = new IoVector
            {
                Base = (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(piece.Array!, piece.Offset),
                Length = (nuint)piece.Count,
            };
        }
        var message = new MessageHeader { Vectors = _vectors, VectorCount = (nuint)count };
        nint sent;
        do
            sent = Native.sendmsg(socket, &message, Native.DontWait | Native.NoSignal);
        while (sent < 0 && Marshal.GetLastSystemError() == Native.EINTR);
        error = sent < 0 ? Marshal.GetLastSystemError() : 0;
        return Math.Max(0, sent);
    }

    /// <summary>Ends the loop. Its connections must have ended.</summary>
    public void Dispose()
    {
        _stopping = true;
        Signal();
        _thread.Join();
        _ = Native.close(_epoll);
        _ = Native.close(_event);
        NativeMemory.Free(_events);
        NativeMemory.Free(_buffer);
        NativeMemory.Free(_vectors);
    }

    private void Signal()
    {
        var one = 1ul;
        _ = Native.write(_event, &one, sizeof(ulong));
    }

    private void Run()
    {
        while (!_stopping)
        {
            var count = _hasWoken ? Events(milliseconds: 0) : Wait();
            if (count < 0 && Marshal.GetLastSystemError() != Native.EINTR)
                Native.Checked(count, nameof(Native.epoll_wait));
            for (var i = 0; i < count; i++)
            {
                var seen = new EpollEvent(_events + i * EpollEvent.Size);
                if (seen.File == _event)
                    TakeSignal();
                else
                    _byFile[seen.File]?.Turn(seen.Events);
            }
            TurnWoken();
        }
    }

    private int Events(int milliseconds) => Native.epoll_wait(_epoll, _events, MaxEvents, milliseconds);

    /// <summary>Waits for events, some microseconds awake where that has paid lately. As epoll_wait(2).</summary>
    private int Wait()
    {
        if (!MayPoll || !_polling.ShouldPoll())
            return Events(milliseconds: -1);
        // What is there at once would have been there for a wait as well, and tells nothing of whether looking pays: a
        // client that shares the processor has had its turn already.
        var count = Events(milliseconds: 0);
        if (count != 0)
            return count;
        var start = Stopwatch.GetTimestamp();
        TimeSpan passed;
        do
        {
            // Whoever else wants this processor, the client or another loop perhaps, has it first: to run out a time slice
            // with looking would hold up the very one that is waited for.
            _ = Native.sched_yield();
            count = Events(milliseconds: 0);
            passed = Stopwatch.GetElapsedTime(start);
        }
        while (count == 0 && passed < PollingTime);
        // One who kept the processor for long would not have kept it from a loop that was woken.
        _polling.Polled(found: count > 0 && passed < PollingTime);
        return count == 0 ? Events(milliseconds: -1) : count;
    }

    private void TakeSignal()
    {
        ulong value;
        _ = Native.read(_event, &value, sizeof(ulong));
        lock (_gate)
            _signalled = false;
    }

    private void TurnWoken()
    {
        if (!_hasWoken)
            return;
        lock (_gate)
        {
            _hasWoken = false;
            (_woken, _turning) = (_turning, _woken);
            foreach (var connection in _turning)
                connection.IsWoken = false;
        }
        foreach (var connection in _turning)
            connection.Turn(0);
        _turning.Clear();
    }
}
