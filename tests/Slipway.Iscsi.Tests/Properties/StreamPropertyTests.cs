using CsCheck;
using Slipway.Iscsi.Pdu;
using static Slipway.Iscsi.Tests.ScriptedInitiator;

namespace Slipway.Iscsi.Tests.Properties;

/// <summary>TCP keeps no boundaries: what the target says depends on the bytes, and not on the pieces they come in.</summary>
public class StreamPropertyTests
{
    private static readonly Gen<string> Keys = Gen.OneOf("", "HeaderDigest=CRC32C", "DataDigest=CRC32C", "HeaderDigest=CRC32C DataDigest=CRC32C");

    [Fact]
    public void Any_division_of_the_stream_gives_the_same_answers()
    {
        Gen.Select(Keys, Gen.Int[1, 400].Array[1, 200]).Sample(
            (keys, pieces) =>
            {
                var (input, whole, site) = Record(keys);
                var (output, other) = Replay(keys, input, pieces);
                Assert.Equal(whole, output);
                Assert.Equal(site.Read(0, 16384), other.Read(0, 16384));
            },
            iter: 2_000);
    }

    /// <summary>A conversation with every kind of request; its bytes after the login, and all that came back.</summary>
    private static (byte[] Input, byte[] Output, Site Site) Record(string keys)
    {
        var site = new Site();
        var initiator = site.LogIn($"InitialR2T=No FirstBurstLength=1024 MaxBurstLength=2048 MaxRecvDataSegmentLength=700 {keys}");
        List<byte> input = [];
        initiator.Recording = (input, []);
        var data = Pattern(4096);
        initiator
            .SaysNop(1, data[..33])
            .SaysWrite(2, 0, 4096, data[..512], final: false)
            .SaysData(2, PduHeader.ReservedTag, 0, 512, data.AsSpan(512, 512), final: true)
            .SaysCommand(3, TestUnitReady, cmdSN: initiator.CmdSN + 1)
            .SaysRead(4, 0, 3)
            // The transfer tags are the target's, and count from 1.
            .SaysData(2, 1, 0, 1024, data.AsSpan(1024, 1000), final: false)
            .SaysData(2, 1, 1, 2024, data.AsSpan(2024, 1048), final: true)
            .SaysData(2, 2, 0, 3072, data.AsSpan(3072), final: true)
            .SaysRead(5, 0, 8)
            .SaysText(6, "SendTargets=")
            .SaysCommand(7, Read10(uint.MaxValue, 1), read: 512)
            .SaysCommand(8, Write10(9, 1), write: 512, data: data[1..513])
            .SaysManagement(9, Scsi.TaskManagementFunction.AbortTaskSet)
            .SaysData(2, 9, 0, 0, data.AsSpan(0, 5), final: true)
            .SaysLogout(10, immediate: false);
        return ([.. input], [.. initiator.Recording!.Value.Output], site);
    }

    private static (byte[] Output, Site Site) Replay(string keys, byte[] input, int[] pieces)
    {
        var site = new Site();
        var initiator = site.LogIn($"InitialR2T=No FirstBurstLength=1024 MaxBurstLength=2048 MaxRecvDataSegmentLength=700 {keys}");
        initiator.Recording = ([], []);
        for (var (at, i) = (0, 0); at < input.Length; i++)
        {
            var length = Math.Min(pieces[i % pieces.Length], input.Length - at);
            initiator.SaysBytes(input.AsSpan(at, length));
            at += length;
        }
        return ([.. initiator.Recording!.Value.Output], site);
    }
}
