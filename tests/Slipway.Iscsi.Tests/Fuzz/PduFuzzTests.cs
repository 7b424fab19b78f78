using Slipway.Iscsi.Pdu;
using Slipway.Tests.Fuzz;

namespace Slipway.Iscsi.Tests.Fuzz;

/// <summary>Any bytes, in any pieces, with and without digests: PDUs or an end, and nothing written where it does not belong.</summary>
[Collection("Fuzz")]
public class PduFuzzTests
{
    private const int Executions = 4_000_000;

    [Fact]
    public async Task Any_bytes_are_PDUs_or_the_end()
    {
        var mutator = new Mutator(1);
        var seeds = Corpus();
        var input = new byte[512];
        var execute = Target();
        await FuzzRun.ExecuteAsync(Executions, i =>
        {
            var length = mutator.Mutate(seeds[i % seeds.Length], seeds[mutator.Next(seeds.Length)], input);
            execute(input, length);
        });
    }

    /// <summary>One execution: the input and its length.</summary>
    public static Action<byte[], int> Target()
    {
        var (sink, mutator, execution) = (new Sink(), new Mutator(6), 0);
        return (input, length) =>
        {
            sink.Reset();
            var receiver = new PduReceiver(sink) { HeaderDigest = (execution & 1) != 0, DataDigest = (execution & 2) != 0 };
            execution++;
            var taken = 0;
            while (taken < length && !sink.HasEnded)
            {
                var piece = Math.Min(length - taken, 1 + mutator.Next(96));
                taken += receiver.Receive(input.AsSpan(taken, piece));
            }
            if (sink.Begun - sink.Ended is not (0 or 1))
                throw new InvalidOperationException($"{sink.Begun} PDUs began and {sink.Ended} ended");
        };
    }

    public static byte[][] Corpus()
    {
        var initiator = new Site().Connect();
        byte[] header = new byte[PduHeader.Size];
        header[0] = 0x41;
        header[7] = 13;
        var plain = initiator.Encode(header, ScriptedInitiator.Pattern(13));
        (initiator.HeaderDigest, initiator.DataDigest) = (true, true);
        var digested = initiator.Encode(header, ScriptedInitiator.Pattern(13));
        header[4] = 3;
        header[7] = 0;
        return [[.. plain, .. plain], [.. digested, .. digested, .. digested], [.. header, .. new byte[12], .. plain], new byte[96]];
    }

    /// <summary>Takes segments of up to 64 bytes, and ends the connection for longer ones.</summary>
    private sealed class Sink : IPduSink
    {
        private readonly byte[] _data = new byte[64];

        public int Begun { get; private set; }

        public int Ended { get; private set; }

        public bool HasEnded { get; private set; }

        public bool IsPaused => false;

        public void Reset()
        {
            Begun = Ended = 0;
            HasEnded = false;
        }

        public bool Begin(PduHeader header, ReadOnlySpan<byte> additional, out Memory<byte> data)
        {
            Begun++;
            var length = header.DataSegmentLength;
            data = length > _data.Length ? default : _data.AsMemory(0, length);
            HasEnded = length > 128;
            return !HasEnded;
        }

        public void End(PduHeader header, bool intact) => Ended++;

        public void HeaderDamaged() => HasEnded = true;
    }
}
