using System.Net;
using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Target;

namespace Slipway.Iscsi.Tests;

/// <summary>
/// The other end of a <see cref="TargetConnection"/>, PDU by PDU: what it says, and what it hears. It checks StatSN,
/// padding and digests of all that it hears by itself.
/// </summary>
internal sealed partial class ScriptedInitiator
{
    private const byte Immediate = 0x40;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly Queue<Reply> _replies = [];
    private readonly Lock _gate = new();
    private TaskCompletionSource _woken = new();
    private readonly List<byte> _stream = [];
    private uint _statSN = 1;

    public ScriptedInitiator(Site site, IPAddress? address = null)
    {
        Site = site;
        Connection = site.Node.Accept(new(address ?? IPAddress.Parse("10.0.0.2"), 40000), Site.Portal, Wake);
    }

    public Site Site { get; }

    public TargetConnection Connection { get; }

    public uint CmdSN { get; set; } = 100;

    public bool HeaderDigest { get; set; }

    public bool DataDigest { get; set; }

    /// <summary>While set, the peer's socket takes nothing: replies stay in the connection.</summary>
    public bool Deaf { get; set; }

    /// <summary>Where set, keeps every byte that goes in and comes out.</summary>
    public (List<byte> Input, List<byte> Output)? Recording { get; set; }

    public ScriptedInitiator Do(Action<ScriptedInitiator> step)
    {
        step(this);
        return this;
    }

    /// <summary>Sends a header that is complete but for its data length, with data.</summary>
    public ScriptedInitiator Says(Span<byte> header, ReadOnlySpan<byte> data = default)
    {
        var view = new PduHeader(header);
        view.DataSegmentLength = data.Length;
        return SaysBytes(Encode(header, data));
    }

    public ScriptedInitiator SaysBytes(ReadOnlySpan<byte> bytes)
    {
        Recording?.Input.AddRange(bytes);
        while (bytes.Length > 0)
        {
            var taken = Connection.Receive(bytes);
            bytes = bytes[taken..];
            if (Drain() == 0 && taken == 0)
                break;
        }
        Drain();
        return this;
    }

    /// <summary>A PDU's bytes on the wire (RFC 7143 §11.1), with the digests that were agreed on.</summary>
    public byte[] Encode(ReadOnlySpan<byte> header, ReadOnlySpan<byte> data)
    {
        List<byte> bytes = [.. header];
        if (HeaderDigest)
            bytes.AddRange(Digest(header));
        if (data.Length == 0)
            return [.. bytes];
        byte[] padded = [.. data, .. new byte[-data.Length & 3]];
        bytes.AddRange(padded);
        if (DataDigest)
            bytes.AddRange(Digest(padded));
        return [.. bytes];
    }

    public Reply? TryNext() => _replies.TryDequeue(out var reply) ? reply : null;

    public Reply Next() => _replies.TryDequeue(out var reply)
        ? reply
        : throw new Xunit.Sdk.XunitException($"the target says nothing; {Connection.EndReason ?? "the connection is open"}");

    public Reply Next(Opcode opcode)
    {
        var reply = Next();
        Assert.True(reply.Opcode == opcode, $"expected {opcode}, heard {reply}");
        return reply;
    }

    public ScriptedInitiator Hears(Opcode opcode, out Reply reply)
    {
        reply = Next(opcode);
        return this;
    }

    public ScriptedInitiator HearsNothing()
    {
        Assert.True(_replies.Count == 0, $"heard {string.Join('\n', _replies)}");
        return this;
    }

    public ScriptedInitiator HearsReject(RejectReason reason)
    {
        var reply = Next(Opcode.Reject);
        Assert.Equal(reason, new RejectPdu(reply.Bytes).Reason);
        Assert.Equal(PduHeader.ReservedTag, reply.Tag);
        // RFC 7143 §11.17: the header of the refused PDU comes back.
        Assert.Equal(PduHeader.Size, reply.Data.Length);
        return this;
    }

    /// <summary>Waits until another thread had something for the connection, and lets the connection do it.</summary>
    public ScriptedInitiator Wakes()
    {
        Task woken;
        lock (_gate)
            woken = _woken.Task;
        Assert.True(woken.Wait(Patience), "nobody woke the connection");
        lock (_gate)
            _woken = new TaskCompletionSource();
        Connection.Run();
        Drain();
        return this;
    }

    /// <summary>Does what was posted so far.</summary>
    public ScriptedInitiator Turns()
    {
        lock (_gate)
            _woken = new TaskCompletionSource();
        Connection.Run();
        Drain();
        return this;
    }

    /// <summary>The target closes the connection, for a reason that says this.</summary>
    public ScriptedInitiator IsClosed(string because)
    {
        Assert.True(Connection.ShouldClose, "the connection is open");
        Assert.Contains(because, Connection.EndReason, StringComparison.Ordinal);
        return HangsUp();
    }

    public ScriptedInitiator IsOpen()
    {
        Assert.False(Connection.ShouldClose, Connection.EndReason);
        return this;
    }

    public ScriptedInitiator HangsUp()
    {
        Connection.TransportClosed("the initiator closed the connection");
        Connection.Run();
        return this;
    }

    /// <summary>What the target has sent so far that no script looks at.</summary>
    public ScriptedInitiator Forgets()
    {
        _replies.Clear();
        return this;
    }

    public int Drain()
    {
        var drained = 0;
        var pieces = new ArraySegment<byte>[16];
        while (!Deaf && Connection.Output.Peek(pieces) is > 0 and var count)
        {
            var bytes = pieces.Take(count).SelectMany(p => p).ToArray();
            Connection.Sent(bytes.Length);
            _stream.AddRange(bytes);
            Recording?.Output.AddRange(bytes);
            drained += bytes.Length;
        }
        while (TryParse() is { } reply)
            _replies.Enqueue(reply);
        return drained;
    }

    private void Wake()
    {
        lock (_gate)
            _woken.TrySetResult();
    }

    private Reply? TryParse()
    {
        var headerSize = PduHeader.Size + (HeaderDigest ? 4 : 0);
        if (_stream.Count < headerSize)
            return null;
        var header = _stream[..PduHeader.Size].ToArray();
        var length = new PduHeader(header).DataSegmentLength;
        var padded = (length + 3) & ~3;
        var total = headerSize + padded + (DataDigest && length > 0 ? 4 : 0);
        if (_stream.Count < total)
            return null;
        if (HeaderDigest)
            Assert.Equal(Digest(header), _stream[PduHeader.Size..headerSize]);
        var data = _stream.GetRange(headerSize, padded).ToArray();
        if (DataDigest && length > 0)
            Assert.Equal(Digest(data), _stream.GetRange(headerSize + padded, 4));
        Assert.All(data[length..], b => Assert.Equal(0, b));
        _stream.RemoveRange(0, total);
        var reply = new Reply(header, data[..length]);
        if (reply.HasStatus)
            Assert.Equal(_statSN++, reply.StatSN);
        else if (reply.Opcode != Opcode.DataIn)
            Assert.Equal(_statSN, reply.StatSN);
        return reply;
    }

    /// <summary>CRC32C bit by bit, from its definition (RFC 7143 §13.1), in the order of the wire.</summary>
    private static byte[] Digest(ReadOnlySpan<byte> bytes)
    {
        var crc = 0xFFFFFFFFu;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var i = 0; i < 8; i++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78 : crc >> 1;
        }
        return BitConverter.GetBytes(~crc);
    }
}
