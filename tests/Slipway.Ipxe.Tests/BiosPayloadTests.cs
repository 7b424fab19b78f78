using System.Buffers.Binary;
using System.IO.Hashing;
using System.Security.Cryptography;
using CsCheck;
using Slipway.Ipxe.Binaries;
using Slipway.Tests;

namespace Slipway.Ipxe.Tests;

/// <summary>iPXE for BIOS, whose code is an LZMA stream; xz has the last word on what such a stream is.</summary>
public class BiosPayloadTests
{
    private static readonly byte[] Ours = [.. Enumerable.Range(0, 32).Select(i => (byte)(i + 1))];

    // Code-like: few values, repetitions near and far, calls.
    private static readonly Gen<byte[]> Code = Gen.OneOf(Gen.Byte[0, 7].Array[0, 400], Gen.Byte.Array[0, 60], Gen.Byte[0xE6, 0xE9].Array[0, 40])
        .List[1, 12].Select(parts => (byte[])[.. parts.SelectMany(p => p.Concat(p)), .. parts[0]]);

    [Fact]
    public async Task The_fingerprint_inside_is_replaced_and_nothing_else()
    {
        using var folder = new TemporaryFolder();
        await Gen.Select(Code, Code).SampleAsync(async (before, after) =>
        {
            var file = await FileAsync(folder, [.. before, .. Programs.StockRoot, .. after]);
            var expected = BiosPayload.FindIn(file).Single().Content;
            Ours.CopyTo(expected, expected.AsSpan().IndexOf(Programs.StockRoot));

            // Unchanged it is what xz made of it.
            Assert.Equal(file, BiosPayload.FindIn(file).Single().WriteInto(file));
            var patched = TrustPatch.Apply(file, Ours);
            Assert.Equal(expected, BiosPayload.FindIn(patched).Single().Content);
            Assert.Equal(BinaryPatchRefusal.PatternAbsent, Assert.Throws<BinaryPatchException>(() => TrustPatch.Apply(patched, SHA256.HashData(Ours))).Refusal);
            Assert.Equal(expected.Length, (await UnpackAsync(folder, patched)).Length);
        }, iter: 60, threads: 1);
    }

    [Fact]
    public void A_damaged_stream_is_refused_and_nothing_else() => Gen.Select(Gen.Byte.Array[6, 300], Gen.Bool).Sample((stream, ends) =>
    {
        stream[0] = 0;
        if (ends)
            stream.AsSpan(stream.Length / 2).Fill(0xFF);
        Assert.Throws<BinaryPatchException>(() => TrustPatch.Apply(Wrap(stream), Ours));
    }, iter: 200);

    private static async Task<byte[]> FileAsync(TemporaryFolder folder, byte[] content)
    {
        await File.WriteAllBytesAsync(folder["content"], content);
        await Tool.RunAsync("bash", "-c", $"xz --format=raw --lzma1=lc=2,lp=0,pb=0 -c '{folder["content"]}' > '{folder["stream"]}'");
        return Wrap(await File.ReadAllBytesAsync(folder["stream"]));
    }

    private static async Task<byte[]> UnpackAsync(TemporaryFolder folder, byte[] file)
    {
        var length = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(Start)) - 4;
        await File.WriteAllBytesAsync(folder["stream"], file.AsMemory(Start + 4, length));
        await Tool.RunAsync("bash", "-c", $"xz --format=raw --lzma1=lc=2,lp=0,pb=0 -dc '{folder["stream"]}' > '{folder["content"]}'");
        return await File.ReadAllBytesAsync(folder["content"]);
    }

    private const int Start = 1024;

    // As the build lays it out: what loads it, the length, the stream, its CRC.
    private static byte[] Wrap(byte[] stream)
    {
        var file = new byte[Start + 4 + stream.Length + 4];
        "HdrS"u8.CopyTo(file.AsSpan(514));
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(Start), stream.Length + 4);
        stream.CopyTo(file, Start + 4);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(Start + 4 + stream.Length), ~Crc32.HashToUInt32(stream));
        return file;
    }
}
