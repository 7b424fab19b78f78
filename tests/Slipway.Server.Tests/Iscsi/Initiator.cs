using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Slipway.Server.Tests.Iscsi;

/// <summary>
/// An initiator over a real socket that does one thing at a time, or as many as it likes, and allocates nothing once it
/// is logged in: tests count the bytes that a READ and a WRITE cost.
/// </summary>
internal sealed class Initiator : IDisposable
{
    public const string Target = "iqn.2026-11.test:transport";
    private const int Header = 48;
    private readonly Socket _socket;
    private readonly byte[] _out = new byte[Header];
    private readonly byte[] _in = new byte[Header];
    private readonly byte[] _scratch = new byte[4];
    private SessionNumbers _numbers = new();
    private ushort _tsih;
    private ushort _cid;
    private string _name = "";

    public Initiator(IPEndPoint portal, int receiveBuffer = 0)
    {
        _socket = new Socket(portal.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = 30_000, SendTimeout = 30_000 };
        if (receiveBuffer > 0)
            _socket.ReceiveBufferSize = receiveBuffer;
        _socket.Connect(portal);
    }

    public Socket Socket => _socket;

    public byte Status => _in[3];

    /// <summary>What the connections of a session share.</summary>
    private sealed class SessionNumbers
    {
        public uint CmdSN = 1;
        public uint Tag;
    }

    /// <summary>Another connection in the session of this one, to be used by a thread of its own.</summary>
    public Initiator Join(IPEndPoint portal, ushort cid)
    {
        var joined = new Initiator(portal) { _numbers = _numbers, _tsih = _tsih, _cid = cid };
        return joined.LogIn(_name);
    }

    public Initiator LogIn(string name)
    {
        _name = name;
        byte[] text = Encoding.ASCII.GetBytes(string.Join('\0', [
            $"InitiatorName={name}", $"TargetName={Target}", "SessionType=Normal", "HeaderDigest=None", "DataDigest=None",
            "MaxRecvDataSegmentLength=65536", "InitialR2T=No", "ImmediateData=Yes", "FirstBurstLength=262144", "MaxBurstLength=262144", "MaxConnections=8", ""]));
        Begin(0x43, 0x87, text.Length);
        // ISID: random format (RFC 7143 §11.12.5), one for each name.
        _out[8] = 0x80;
        BinaryPrimitives.WriteInt32BigEndian(_out.AsSpan(10), name.GetHashCode(StringComparison.Ordinal));
        BinaryPrimitives.WriteUInt16BigEndian(_out.AsSpan(14), _tsih);
        BinaryPrimitives.WriteUInt16BigEndian(_out.AsSpan(20), _cid);
        Send(text);
        Receive([]);
        Assert.Equal(0x23, _in[0]);
        Assert.Equal(0, _in[36]);
        _tsih = BinaryPrimitives.ReadUInt16BigEndian(_in.AsSpan(14));
        // The first command after a login is told of the reset that opening a nexus is (SAM-5 §6.3.1).
        TestUnitReady();
        return this;
    }

    /// <summary>Tries a login; returns its status.</summary>
    public int TryLogIn(string name)
    {
        var text = Encoding.ASCII.GetBytes($"InitiatorName={name}\0TargetName={Target}\0SessionType=Normal\0");
        Begin(0x43, 0x87, text.Length);
        Send(text);
        Receive([]);
        return BinaryPrimitives.ReadUInt16BigEndian(_in.AsSpan(36));
    }

    /// <summary>The next PDU is an Async Message; returns its event.</summary>
    public int ReceiveEvent()
    {
        Receive([]);
        Assert.Equal(0x32, _in[0]);
        return _in[36];
    }

    public void TestUnitReady()
    {
        Begin(0x01, 0x81, 0);
        Send([]);
        ReceiveUntilStatus([]);
    }

    /// <summary>READ(16), without waiting for what comes back.</summary>
    public void SendRead(long offset, int length)
    {
        Begin(0x01, 0xC1, 0);
        Range(0x88, offset, length);
        Send([]);
    }

    public void Read(long offset, Span<byte> destination)
    {
        SendRead(offset, destination.Length);
        ReceiveUntilStatus(destination);
    }

    /// <summary>WRITE(16) with all its data immediate.</summary>
    public void SendWrite(long offset, ReadOnlySpan<byte> source)
    {
        Begin(0x01, 0xA1, source.Length);
        Range(0x8A, offset, source.Length);
        Send(source);
    }

    public void Write(long offset, ReadOnlySpan<byte> source)
    {
        SendWrite(offset, source);
        ReceiveUntilStatus([]);
    }

    /// <summary>Takes PDUs up to the one with a status; their data goes where its offset says.</summary>
    public void ReceiveUntilStatus(Span<byte> destination)
    {
        do
            Receive(destination);
        while (_in[0] == 0x25 && (_in[1] & 1) == 0);
    }

    public void LogOut()
    {
        Begin(0x06, 0x80, 0);
        Send([]);
        Receive([]);
        Assert.Equal(0x26, _in[0]);
    }

    /// <summary>True where the target has closed the connection.</summary>
    public bool IsClosedByTarget()
    {
        try
        {
            return _socket.Receive(_scratch) == 0;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return true;
        }
    }

    public void Dispose() => _socket.Dispose();

    private void Begin(byte opcode, byte flags, int dataLength)
    {
        Array.Clear(_out);
        _out[0] = opcode;
        _out[1] = flags;
        _out[5] = (byte)(dataLength >> 16);
        _out[6] = (byte)(dataLength >> 8);
        _out[7] = (byte)dataLength;
        BinaryPrimitives.WriteUInt32BigEndian(_out.AsSpan(16), Interlocked.Increment(ref _numbers.Tag));
        var isImmediate = (opcode & 0x40) != 0;
        BinaryPrimitives.WriteUInt32BigEndian(_out.AsSpan(24), isImmediate ? Volatile.Read(ref _numbers.CmdSN) : Interlocked.Increment(ref _numbers.CmdSN) - 1);
    }

    private void Range(byte operation, long offset, int length)
    {
        BinaryPrimitives.WriteInt32BigEndian(_out.AsSpan(20), length);
        _out[32] = operation;
        BinaryPrimitives.WriteInt64BigEndian(_out.AsSpan(34), offset / 512);
        BinaryPrimitives.WriteInt32BigEndian(_out.AsSpan(42), length / 512);
    }

    private void Send(ReadOnlySpan<byte> data)
    {
        SendAll(_out);
        SendAll(data);
        _scratch.AsSpan().Clear();
        SendAll(_scratch.AsSpan(0, -data.Length & 3));
    }

    private void SendAll(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[_socket.Send(bytes)..];
    }

    private void Receive(Span<byte> destination)
    {
        Fill(_in);
        var length = (_in[5] << 16) | (_in[6] << 8) | _in[7];
        if (_in[0] == 0x25)
            Fill(destination.Slice(BinaryPrimitives.ReadInt32BigEndian(_in.AsSpan(40)), length));
        else
            Skip(length);
        Fill(_scratch.AsSpan(0, -length & 3));
    }

    private void Skip(int length)
    {
        Span<byte> dropped = stackalloc byte[512];
        for (; length > 0; length -= Math.Min(length, dropped.Length))
            Fill(dropped[..Math.Min(length, dropped.Length)]);
    }

    private void Fill(Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            var received = _socket.Receive(destination);
            if (received == 0)
                throw new EndOfStreamException("the target closed the connection");
            destination = destination[received..];
        }
    }
}
