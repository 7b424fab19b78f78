using Slipway.Iscsi.Chap;
using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Target;
using Slipway.Tests.Fuzz;

namespace Slipway.Iscsi.Tests.Fuzz;

/// <summary>Whatever a stranger says, it is not let in where CHAP is demanded, and it costs nothing that stays.</summary>
[Collection("Fuzz")]
public class LoginFuzzTests
{
    private const int Executions = 1_000_000;

    private static readonly string[] Texts =
    [
        $"{ScriptedInitiator.Names} AuthMethod=CHAP,None", "CHAP_A=5,6,7,8", "CHAP_N=host CHAP_R=0x2a979d3acbd5594176c7944687d80800",
        "CHAP_N=host CHAP_R=0b0000000000000000000000== CHAP_I=42 CHAP_C=0x0102030405060708090a0b0c0d0e0f10", "HeaderDigest=CRC32C InitialR2T=No",
        $"InitiatorName={Site.Initiator} SessionType=Discovery AuthMethod=None",
    ];

    [Fact]
    public async Task Nobody_comes_in_without_the_secret()
    {
        var door = new Door();
        var node = new TargetNode(door, door, TimeProvider.System);
        var mutator = new Mutator(3);
        var seeds = Corpus();
        var input = new byte[512];
        await FuzzRun.ExecuteAsync(Executions, _ =>
        {
            var connection = node.Accept(Site.Portal, Site.Portal, () => { });
            for (var step = 0; step < 3 && !connection.ShouldClose; step++)
            {
                // The first is often left as it is: what comes after it is reached by good beginnings only.
                var seed = seeds[step == 0 ? 0 : mutator.Next(seeds.Length)];
                if (step == 0 && mutator.Next(4) != 0)
                {
                    connection.Receive(seed);
                }
                else
                {
                    var length = mutator.Mutate(seed, seeds[mutator.Next(seeds.Length)], input);
                    connection.Receive(input.AsSpan(0, length));
                }
                if (connection.Output.Length > 4096)
                    throw new InvalidOperationException($"{connection.Output.Length} bytes of answers");
            }
            connection.TransportClosed("over");
            if (!connection.HasEnded)
                throw new InvalidOperationException("something of the connection is left");
        });
        Assert.Equal(0, door.LoggedIn);
    }

    /// <summary>One execution, by itself or after a good beginning: the input and its length.</summary>
    public static Action<byte[], int> Target()
    {
        var door = new Door();
        var node = new TargetNode(door, door, TimeProvider.System);
        var (beginning, execution) = (Corpus()[0], 0);
        return (input, length) =>
        {
            var connection = node.Accept(Site.Portal, Site.Portal, () => { });
            if ((execution++ & 1) != 0)
                connection.Receive(beginning);
            connection.Receive(input.AsSpan(0, length));
            connection.TransportClosed("over");
            if (!connection.HasEnded || door.LoggedIn > 0)
                throw new InvalidOperationException(door.LoggedIn > 0 ? "somebody came in" : "something of the connection is left");
        };
    }

    public static byte[][] Corpus()
    {
        var seeds = new List<byte[]>();
        foreach (var text in Texts)
        {
            var bytes = new byte[PduHeader.Size];
            var request = LoginRequestPdu.Begin(bytes);
            (request.Transit, request.NextStage, request.Isid, request.Cid) = (true, LoginStage.OperationalNegotiation, ScriptedInitiator.DefaultIsid, 1);
            bytes[0] |= 0x40;
            var data = ScriptedInitiator.Pairs(text);
            (bytes[6], bytes[7]) = ((byte)(data.Length >> 8), (byte)data.Length);
            seeds.Add([.. bytes, .. data, .. new byte[-data.Length & 3]]);
        }
        return [.. seeds];
    }

    private sealed class Door : ITargetDirectory, ITargetObserver
    {
        private static readonly ChapPolicy Policy = new(new ChapAccount("host", "initiator secret"), new ChapAccount("disk", "another secret of the target"));
        private static readonly Site Inside = new();

        public int LoggedIn { get; private set; }

        public Admission Admit(LoginFacts facts) => Admission.Grant(facts.SessionType == SessionType.Normal ? Inside.Device : null, Policy);

        public IReadOnlyList<TargetRecord> Discover(LoginFacts facts) => [];

        public void Observe(TargetEvent e) => LoggedIn += e is LoggedIn ? 1 : 0;
    }
}
