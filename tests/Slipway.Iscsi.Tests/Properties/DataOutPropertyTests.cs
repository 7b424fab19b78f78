using CsCheck;
using Slipway.Iscsi.Pdu;
using static Slipway.Iscsi.Tests.ScriptedInitiator;

namespace Slipway.Iscsi.Tests.Properties;

/// <summary>However the rules let an initiator send its data, the medium holds what it wrote (RFC 7143 §11.7, §13.13 to §13.17).</summary>
public class DataOutPropertyTests
{
    private sealed record Terms(bool InitialR2T, bool ImmediateData, int FirstBurst, int MaxBurst, int R2Ts, bool Digest);

    private static readonly Gen<Terms> AnyTerms =
        Gen.Select(Gen.Bool, Gen.Bool, Gen.Int[512, 6000], Gen.Int[512, 6000], Gen.Int[1, 4], Gen.Bool)
            .Select((r2t, immediate, first, burst, r2ts, digest) => new Terms(r2t, immediate, first, burst, r2ts, digest));

    [Fact]
    public void Any_order_of_data_within_the_rules_writes_the_same()
    {
        Gen.Select(AnyTerms, Gen.Int[1, 24].Array[1, 4], Gen.Int[0, int.MaxValue - 1]).Sample(
            (terms, blocks, seed) =>
            {
                var site = new Site();
                var initiator = site.LogIn(
                    $"InitialR2T={(terms.InitialR2T ? "Yes" : "No")} ImmediateData={(terms.ImmediateData ? "Yes" : "No")} FirstBurstLength={terms.FirstBurst}"
                    + $" MaxBurstLength={terms.MaxBurst} MaxOutstandingR2T={terms.R2Ts} DataDigest={(terms.Digest ? "CRC32C" : "None")}");
                var expected = new Sender(initiator, terms, new Random(seed)).Write(blocks);
                Assert.Equal(expected, site.Read(0, expected.Length));
                initiator.HearsNothing();
            },
            iter: 3_000);
    }

    /// <summary>Data that may be sent now: the rest of one sequence.</summary>
    private sealed class Sequence(uint tag, uint transferTag, int next, int end)
    {
        public uint Tag => tag;

        public uint TransferTag => transferTag;

        public int Next { get; set; } = next;

        public int End => end;

        public uint DataSN { get; set; }
    }

    /// <summary>Writes that overlap in time, their sequences mixed as the dice fall.</summary>
    private sealed class Sender(ScriptedInitiator initiator, Terms terms, Random dice)
    {
        private readonly List<Sequence> _open = [];
        private readonly Dictionary<uint, byte[]> _data = [];
        private int _answered;

        public byte[] Write(int[] blocks)
        {
            var lba = 0;
            for (var i = 0; i < blocks.Length; i++)
            {
                Start((uint)i, lba, blocks[i] * 512);
                lba += blocks[i];
                for (var steps = dice.Next(4); steps > 0; steps--)
                    Step();
            }
            while (_open.Count > 0)
                Step();
            Assert.Equal(blocks.Length, _answered);
            return [.. Enumerable.Range(0, blocks.Length).SelectMany(i => _data[(uint)i])];
        }

        private void Start(uint tag, int lba, int length)
        {
            var data = _data[tag] = Pattern(length, dice.Next());
            var first = Math.Min(Math.Min(terms.FirstBurst, terms.MaxBurst), length);
            var immediate = terms.ImmediateData ? dice.Next(first + 1) : 0;
            // Whoever sends data unasked sends all of the first burst.
            var unsolicited = !terms.InitialR2T && immediate < first && dice.Next(2) == 0;
            initiator.SaysWrite(tag, (uint)lba, length, data[..immediate], final: !unsolicited);
            if (unsolicited)
                _open.Add(new Sequence(tag, PduHeader.ReservedTag, immediate, first));
            Listen();
        }

        private void Step()
        {
            if (_open.Count == 0)
                return;
            var sequence = _open[dice.Next(_open.Count)];
            var length = Math.Min(sequence.End - sequence.Next, 1 + dice.Next(2000));
            var final = sequence.Next + length == sequence.End;
            if (final)
                _open.Remove(sequence);
            initiator.SaysData(
                sequence.Tag, sequence.TransferTag, sequence.DataSN++, sequence.Next, _data[sequence.Tag].AsSpan(sequence.Next, length), final);
            sequence.Next += length;
            Listen();
        }

        private void Listen()
        {
            while (initiator.TryNext() is { } reply)
            {
                if (reply.Opcode == Opcode.ReadyToTransfer)
                {
                    var r2t = new ReadyToTransferPdu(reply.Bytes);
                    Assert.InRange((int)r2t.DesiredDataTransferLength, 1, terms.MaxBurst);
                    _open.Add(new Sequence(reply.Tag, r2t.TargetTransferTag, (int)r2t.BufferOffset, (int)(r2t.BufferOffset + r2t.DesiredDataTransferLength)));
                    Assert.InRange(_open.Count(s => s.Tag == reply.Tag), 1, terms.R2Ts);
                    continue;
                }
                Assert.Equal((Opcode.ScsiResponse, Scsi.ScsiStatus.Good), (reply.Opcode, new ScsiResponsePdu(reply.Bytes).Status));
                _answered++;
            }
        }
    }
}
