using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Slipway.Tests.Targets;

/// <summary>An initiator that registers and reserves; the tools of libiscsi's package cannot.</summary>
internal sealed class ReservingInitiator : IDisposable
{
    private const int Header = 48;
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = 30_000 };
    private uint _cmdSN = 1;

    /// <param name="isid">With the name, the initiator port that a registration belongs to.</param>
    public ReservingInitiator(ServedTarget target, string name, byte isid)
    {
        _socket.Connect(IPEndPoint.Parse(target.Portal));
        var login = Request(0x43, 0x87);
        (login[8], login[13]) = (0x80, isid);
        var keys = Encoding.ASCII.GetBytes($"InitiatorName={name}\0TargetName={target.Name}\0SessionType=Normal\0InitialR2T=No\0ImmediateData=Yes\0");
        Send(login, keys);
        var (answer, _) = Receive();
        Assert.Equal((0x23, 0), (answer[0], answer[36]));
        // The first command is told of the reset that a login is.
        Command("00", [], 0);
    }

    /// <summary>PERSISTENT RESERVE OUT; returns its status.</summary>
    public int Out(byte action, byte type, ulong key, ulong actionKey, bool aptpl = false)
    {
        var list = new byte[24];
        BinaryPrimitives.WriteUInt64BigEndian(list, key);
        BinaryPrimitives.WriteUInt64BigEndian(list.AsSpan(8), actionKey);
        list[20] = (byte)(aptpl ? 1 : 0);
        return Command($"5F{action:X2}{type:X2}0000000000{list.Length:X2}00", list, 0).Status;
    }

    /// <summary>PERSISTENT RESERVE IN, in hexadecimal, without the generation.</summary>
    public string In(byte action)
    {
        var (status, data) = Command($"5E{action:X2}0000000000040000", [], 0x400);
        Assert.Equal(0, status);
        return Convert.ToHexString(data.AsSpan(4));
    }

    /// <summary>WRITE(10) of one block; returns its status.</summary>
    public int Write() => Command("2A000000000000000100", new byte[512], 0).Status;

    public void Dispose() => _socket.Dispose();

    private (int Status, byte[] Data) Command(string cdb, byte[] write, int read)
    {
        var command = Request(0x01, (byte)(0x81 | (write.Length > 0 ? 0x20 : 0) | (read > 0 ? 0x40 : 0)));
        BinaryPrimitives.WriteInt32BigEndian(command.AsSpan(20), Math.Max(write.Length, read));
        BinaryPrimitives.WriteUInt32BigEndian(command.AsSpan(24), _cmdSN++);
        Convert.FromHexString(cdb).CopyTo(command, 32);
        Send(command, write);
        byte[] all = [];
        while (true)
        {
            var (answer, data) = Receive();
            if (answer[0] == 0x21)
                return (answer[3], all);
            all = [.. all, .. data];
            // Data-In with the status.
            if ((answer[1] & 1) != 0)
                return (answer[3], all);
        }
    }

    private byte[] Request(byte opcode, byte flags)
    {
        var header = new byte[Header];
        (header[0], header[1], header[19]) = (opcode, flags, 1);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(24), _cmdSN);
        return header;
    }

    private void Send(byte[] header, byte[] data)
    {
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(6), (ushort)data.Length);
        _socket.Send([.. header, .. data, .. new byte[-data.Length & 3]]);
    }

    private (byte[] Header, byte[] Data) Receive()
    {
        var header = ReceiveExactly(Header);
        var length = BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(6));
        return (header, ReceiveExactly((length + 3) & ~3)[..length]);
    }

    private byte[] ReceiveExactly(int count)
    {
        var bytes = new byte[count];
        for (var at = 0; at < count;)
            at += _socket.Receive(bytes.AsSpan(at)) is > 0 and var more ? more : throw new EndOfStreamException("the target closed the connection");
        return bytes;
    }
}
