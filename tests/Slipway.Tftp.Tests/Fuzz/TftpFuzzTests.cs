using System.Net;
using System.Text;
using Slipway.Tests.Fuzz;
using Slipway.Tftp.Server;

namespace Slipway.Tftp.Tests.Fuzz;

/// <summary>Any request and any packets after it: a file that was there to be read, or an error, and no more packets than windows.</summary>
[Collection("Fuzz")]
public class TftpFuzzTests : ITftpFiles, ITftpObserver
{
    private const int Executions = 1_000_000;

    private static readonly byte[][] Seeds =
    [
        .. new[]
        {
            "\0\u0001f\0octet\0", "\0\u0001f\0octet\0tsize\00\0blksize\01468\0windowsize\04\0", "\0\u0001f\0netascii\0timeout\01\0blksize\08\0",
            "\0\u0001/a/../f\0octet\0", "\0\u0001a\\b\\f\0octet\0windowsize\065535\0", "\0\u0002f\0octet\0", "\0\u0005\0\u0000gone\0", "\0\u0004\0\u0001",
        }.Select(Encoding.ASCII.GetBytes),
    ];

    private static readonly byte[][] Packets = [[0, 4, 0, 0], [0, 4, 0, 1], [0, 4, 0, 3], [0, 4, 255, 255], [0, 5, 0, 8, (byte)'x', 0], [0, 3, 0, 1, 9], [0]];

    private readonly byte[] _content = new byte[5000];
    private int _sent;

    [Fact]
    public async Task Any_request_is_served_or_refused()
    {
        var mutator = new Mutator(13);
        var (request, packet) = (new byte[600], new byte[64]);
        var clock = new TestClock();
        var server = new TftpServer(this, new TftpLimits(), clock, this);
        var client = new IPEndPoint(IPAddress.Loopback, 2000);
        await FuzzRun.ExecuteAsync(Executions, i =>
        {
            var length = mutator.Mutate(Seeds[i % Seeds.Length], Seeds[mutator.Next(Seeds.Length)], request);
            _sent = 0;
            using var transfer = server.Accept(request.AsSpan(0, length), client, Count, out var name, out var refusal);
            if (transfer is null)
            {
                if (refusal is { } r && (r.Packet[1] != 5 || r.Packet.Length > 512 || r.Name.Any(char.IsControl)))
                    throw new InvalidOperationException($"{Convert.ToHexString(request.AsSpan(0, length))} is refused with {Convert.ToHexString(r.Packet)}");
                return;
            }
            transfer.Start();
            for (var packets = mutator.Next(4); packets > 0; packets--)
            {
                transfer.OnPacket(packet.AsSpan(0, mutator.Mutate(Packets[mutator.Next(Packets.Length)], Packets[0], packet)));
                clock.Advance(TimeSpan.FromSeconds(mutator.Next(3)));
                transfer.OnTime();
            }
            // The first window, and one for each packet and each time that passed.
            if (_sent > 7 * transfer.WindowSize || transfer.Acknowledged > _content.Length)
                throw new InvalidOperationException($"{_sent} packets for {Convert.ToHexString(request.AsSpan(0, length))}");
            server.Ended(transfer, client, name);
        });

        void Count(ReadOnlyMemory<byte> sent) => _sent++;
    }

    TftpAnswer ITftpFiles.Open(string name, IPEndPoint client) =>
        name.Contains("..", StringComparison.Ordinal) && name.Split('/').Contains("..") || name.StartsWith('/')
            ? throw new InvalidOperationException($"'{name}' leaves the folder")
            : name.EndsWith('f') ? TftpAnswer.Of(_content) : TftpAnswer.NotFound(name);

    void ITftpObserver.Observe(TftpEvent tftpEvent)
    {
    }
}
