using System.Net;
using System.Text;
using Slipway.Tftp.Server;

namespace Slipway.Tftp.Tests;

/// <summary>A server with one file, "f", and a client, so that a test reads like the conversation.</summary>
internal sealed class Conversation : ITftpFiles, ITftpObserver
{
    private static readonly IPEndPoint Client = new(IPAddress.Parse("10.0.0.2"), 2000);
    private readonly TftpServer _server;
    private int _seen;

    public Conversation() => _server = new TftpServer(this, new TftpLimits(), Clock, this);

    public TestClock Clock { get; } = new();

    public List<byte[]> Sent { get; } = [];

    public List<TftpEvent> Events { get; } = [];

    public byte[] Content { get; private set; } = [];

    public TftpTransfer? Transfer { get; private set; }

    public TftpTransfer? Accept(byte[] packet, out byte[]? refusal)
    {
        Transfer = _server.Accept(packet, Client, p => Sent.Add(p.ToArray()), out _, out var refused);
        refusal = refused?.Packet;
        return Transfer;
    }

    public void Request(int content, string options = "")
    {
        Content = new byte[content];
        new Random(content).NextBytes(Content);
        Accept(Encoding.ASCII.GetBytes("\0\u0001f\0octet\0" + options), out _);
        Transfer!.Start();
    }

    public void Acknowledge(int block)
    {
        _seen = Sent.Count;
        Transfer!.OnPacket([0, 4, (byte)(block >> 8), (byte)block]);
    }

    /// <summary>Numbers of the data blocks sent since the last acknowledgement.</summary>
    public List<int> Blocks()
    {
        var blocks = Sent.Skip(_seen).Where(p => p[1] == 3).Select(p => p[2] << 8 | p[3]).ToList();
        _seen = Sent.Count;
        return blocks;
    }

    /// <summary>A client that loses packets as told, acknowledges each that it takes, and sends noise besides.</summary>
    public byte[] ReceiveWithLosses(bool[] losses, byte[][] noise)
    {
        var got = new MemoryStream();
        var next = 0;
        var step = 0;
        var taken = 0;
        while (Transfer!.State == TftpTransferState.Running)
        {
            if (taken == Sent.Count)
            {
                Clock.Advance(Transfer.Deadline - Clock.GetUtcNow());
                Transfer.OnTime();
                continue;
            }
            var packet = Sent[taken++];
            if (step < noise.Length)
                Transfer.OnPacket(noise[step]);
            if (step < losses.Length && losses[step++])
                continue;
            var block = packet[1] == 6 ? 0 : packet[2] << 8 | packet[3];
            if (block == (next & 0xFFFF))
            {
                if (packet[1] == 3)
                    got.Write(packet, 4, packet.Length - 4);
                next++;
            }
            Transfer.OnPacket([0, 4, (byte)(next - 1 >> 8), (byte)(next - 1)]);
        }
        return got.ToArray();
    }

    TftpAnswer ITftpFiles.Open(string name, IPEndPoint client) => name == "f" ? TftpAnswer.Of(Content) : TftpAnswer.NotFound(name);

    void ITftpObserver.Observe(TftpEvent tftpEvent) => Events.Add(tftpEvent);
}

internal sealed class TestClock : TimeProvider
{
    private DateTimeOffset _now = new(2025, 6, 1, 12, 0, 0, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => _now;

    public void Advance(TimeSpan time) => _now += time;
}
