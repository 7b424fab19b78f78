using System.Buffers.Binary;
using CsCheck;
using Slipway.Disks;

namespace Slipway.Scsi.Tests;

/// <summary>Any run of commands leaves the medium as the same run leaves an array of bytes.</summary>
public class ModelTests
{
    private const int Blocks = 160;

    private static readonly string[] Kinds =
        ["write6", "write10", "write16", "verified", "same", "same-unmap", "same-none", "unmap", "compare", "or"];

    private static readonly Gen<(string Kind, int Lba, int Count, byte Fill)[]> Runs =
        Gen.Select(Gen.OneOf(Kinds), Gen.Int[0, Blocks - 1], Gen.Int[1, Blocks], Gen.OneOf<byte>(0, 1, 0x42))
            .Select((kind, lba, count, fill) => (kind, lba, Math.Min(count, Blocks - lba), fill)).Array[1, 30];

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    public void Commands_do_to_the_medium_what_they_say(int blockSize)
    {
        Runs.Sample(
            run =>
            {
                var model = new byte[Blocks * blockSize];
                var initiator = Initiator.Of(new MemoryDisk(model.Length), blockSize);
                foreach (var step in run)
                    Apply(initiator, model, step, blockSize);
                Assert.Equal(model, Read(initiator, 0, Blocks));
                CheckStatus(initiator, model, blockSize);
            },
            iter: 300);
    }

    private static void Apply(Initiator initiator, byte[] model, (string Kind, int Lba, int Count, byte Fill) step, int blockSize)
    {
        var (kind, lba, count, fill) = step;
        var range = model.AsSpan(lba * blockSize, count * blockSize);
        var data = new byte[range.Length];
        for (var i = 0; i < data.Length; i++)
            data[i] = (byte)(fill == 0x42 ? i * 7 + i / blockSize : fill);
        switch (kind)
        {
            case "write6":
                initiator.Send(Cdb6(0x0A, lba, count), data).Good();
                data.CopyTo(range);
                break;
            case "write10":
                initiator.Send(Cdb10(0x2A, 0x08, lba, count), data).Good();
                data.CopyTo(range);
                break;
            case "write16":
                initiator.Send(Cdb16(0x8A, 0, lba, count), data).Good();
                data.CopyTo(range);
                break;
            case "verified":
                initiator.Send(Cdb10(0x2E, 0x02, lba, count), data).Good();
                data.CopyTo(range);
                break;
            case "same":
                initiator.Send(Cdb10(0x41, 0, lba, count), data.AsMemory(0, blockSize)).Good();
                Repeat(data.AsSpan(0, blockSize), range);
                break;
            case "same-unmap":
                initiator.Send(Cdb16(0x93, 0x08, lba, count), data.AsMemory(0, blockSize)).Good();
                Repeat(data.AsSpan(0, blockSize), range);
                break;
            case "same-none":
                initiator.Send(Cdb16(0x93, 0x01, lba, count)).Good();
                range.Clear();
                break;
            case "unmap":
                var list = new byte[24];
                list[1] = 22;
                list[3] = 16;
                BinaryPrimitives.WriteInt64BigEndian(list.AsSpan(8), lba);
                BinaryPrimitives.WriteInt32BigEndian(list.AsSpan(16), count);
                initiator.Send("42 00 00 00 00 00 00 00 18 00", list).Good();
                range.Clear();
                break;
            case "compare":
                var differs = range.CommonPrefixLength(data) < data.Length;
                var answer = initiator.Send(Cdb16(0x89, 0, lba, count), (byte[])[.. data, .. new byte[data.Length]]);
                Assert.Equal(differs ? ScsiStatus.CheckCondition : ScsiStatus.Good, answer.Status);
                if (differs)
                    Assert.Equal(range.CommonPrefixLength(data), (int)answer.Information!.Value);
                else
                    range.Clear();
                break;
            default:
                initiator.Send(Cdb16(0x8B, 0, lba, count), data).Good();
                for (var i = 0; i < data.Length; i++)
                    range[i] |= data[i];
                break;
        }

        // VERIFY and READ agree with the model after every step.
        initiator.Send(Cdb16(0x8F, 0x02, lba, count), range.ToArray()).Good();
        Assert.True(range.SequenceEqual(Read(initiator, lba, count)));
    }

    // GET LBA STATUS covers the medium without gap or overlap, and what it calls deallocated is zero.
    private static void CheckStatus(Initiator initiator, byte[] model, int blockSize)
    {
        for (var lba = 0; lba < Blocks;)
        {
            var data = initiator.Send(Cdb16(0x9E, 0x12, lba, 40)).Good().Data;
            Assert.True(data.Length >= 24);
            for (var at = 8; at < data.Length; at += 16)
            {
                Assert.Equal(lba, BinaryPrimitives.ReadInt64BigEndian(data.AsSpan(at)));
                var count = BinaryPrimitives.ReadInt32BigEndian(data.AsSpan(at + 8));
                if (data[at + 12] == 1)
                    Assert.False(model.AsSpan(lba * blockSize, count * blockSize).ContainsAnyExcept((byte)0));
                lba += count;
            }
        }
    }

    private static byte[] Read(Initiator initiator, int lba, int count) =>
        initiator.Send(Cdb10(0x28, 0, lba, count)).Good().Data;

    private static void Repeat(ReadOnlySpan<byte> block, Span<byte> range)
    {
        for (var at = 0; at < range.Length; at += block.Length)
            block.CopyTo(range[at..]);
    }

    private static byte[] Cdb6(byte code, int lba, int count) =>
        [code, 0, (byte)(lba >> 8), (byte)lba, (byte)count, 0];

    private static byte[] Cdb10(byte code, byte flags, int lba, int count) =>
        [code, flags, 0, 0, (byte)(lba >> 8), (byte)lba, 0, (byte)(count >> 8), (byte)count, 0];

    private static byte[] Cdb16(byte code, byte flags, int lba, int count) =>
        [code, flags, 0, 0, 0, 0, 0, 0, (byte)(lba >> 8), (byte)lba, 0, 0, (byte)(count >> 8), (byte)count, 0, 0];
}
