using System.Text;
using Slipway.Iscsi.Text;
using Slipway.Tests.Fuzz;

namespace Slipway.Iscsi.Tests.Fuzz;

/// <summary>Any text: a sentence, or an answer, and parameters that stay within their bounds.</summary>
[Collection("Fuzz")]
public class TextFuzzTests
{
    private const int Executions = 3_000_000;

    private static readonly byte[][] Seeds =
    [
        .. new[]
        {
            "HeaderDigest=CRC32C,None\0DataDigest=None\0", "InitialR2T=No\0ImmediateData=Yes\0", "MaxBurstLength=16776192\0FirstBurstLength=262144\0",
            "MaxRecvDataSegmentLength=0x40000\0", "DefaultTime2Wait=2\0DefaultTime2Retain=0\0", "MaxConnections=1\0MaxOutstandingR2T=8\0",
            "ErrorRecoveryLevel=2\0TaskReporting=FastAbort\0", "IFMarker=No\0OFMarkInt=1~65535\0", "CHAP_A=5,7\0CHAP_R=0x0123456789abcdef\0",
            "CHAP_C=0bKpedOsvVWUF2x5RGh9gIxg==\0", "X-com.example.key=value\0", "SendTargets=All\0",
        }.Select(Encoding.ASCII.GetBytes),
    ];

    public static byte[][] Corpus() => Seeds;

    [Fact]
    public async Task Any_text_is_answered_or_explained()
    {
        var mutator = new Mutator(2);
        var input = new byte[128];
        var execute = Target();
        await FuzzRun.ExecuteAsync(Executions, i =>
        {
            var length = mutator.Mutate(Seeds[i % Seeds.Length], Seeds[mutator.Next(Seeds.Length)], input);
            execute(input, length);
        });
    }

    /// <summary>One execution: the input and its length.</summary>
    public static Action<byte[], int> Target()
    {
        var (keys, answer, offer, execution) = (new TextKeys(), new TextKeys(), new NegotiationOffer(), 0);
        return (input, length) =>
        {
            keys.Clear();
            answer.Clear();
            if (!TextKeys.TryParse(input.AsSpan(0, length), keys, out var error))
            {
                Require(error.Length > 0);
                return;
            }
            var parameters = new OperationalParameters();
            new Negotiator(offer, parameters).Answer(keys, answer, (KeyUse)(1 << (execution++ % 3)));
            Require(answer.Count <= keys.Count);
            Require(parameters.MaxBurstLength is >= 512 and <= 1 << 20 && parameters.FirstBurstLength is >= 512 and <= 262144);
            Require(parameters.PeerMaxRecvDataSegmentLength is >= 512 and < 1 << 24 && parameters.MaxOutstandingR2T is >= 1 and <= 4);
            Require(parameters is { ErrorRecoveryLevel: 0, DataPduInOrder: true, DataSequenceInOrder: true });
            foreach (var (_, value) in keys.Pairs)
            {
                if (TextValues.TryParseBinary(value, 16, out var binary))
                    Require(binary.Length is >= 1 and <= 16);
            }
        };
    }

    private static void Require(bool holds)
    {
        if (!holds)
            throw new InvalidOperationException("a bound was passed");
    }
}
