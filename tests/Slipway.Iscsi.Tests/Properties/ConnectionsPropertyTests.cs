using CsCheck;
using static Slipway.Iscsi.Tests.ScriptedInitiator;

namespace Slipway.Iscsi.Tests.Properties;

/// <summary>
/// However the commands of a session come by its connections, and whichever loop has its turn, they run in the order of
/// their CmdSN, and each is answered where it came (RFC 7143 §4.2.2.1, §4.2.2.3).
/// </summary>
public class ConnectionsPropertyTests
{
    private const int Blocks = 3;
    private const uint First = 100;

    /// <param name="Connection">By which of them it comes.</param>
    /// <param name="Lba">What it reads or writes: so few that most commands depend on another.</param>
    private sealed record Command(int Connection, bool Write, int Lba);

    [Fact]
    public void Any_way_over_the_connections_runs_the_same()
    {
        var command = Gen.Select(Gen.Int[0, 3], Gen.Bool, Gen.Int[0, Blocks - 1]).Select((connection, write, lba) => new Command(connection, write, lba));
        Gen.Select(command.Array[1, 40], Gen.Int[0, int.MaxValue - 1]).Sample((commands, seed) => Run(commands, new Random(seed)), iter: 500);
    }

    private static void Run(Command[] commands, Random dice)
    {
        var site = new Site();
        var leading = site.LogIn("MaxConnections=4");
        ScriptedInitiator[] connections = [leading, .. Enumerable.Range(2, 3).Select(cid => site.Connect().Joins(leading, (ushort)cid))];
        foreach (var i in Enumerable.Range(0, commands.Length).OrderBy(_ => dice.Next()))
        {
            Send(connections[commands[i].Connection], commands[i], i);
            for (var turns = dice.Next(3); turns > 0; turns--)
                connections[dice.Next(connections.Length)].Turns();
        }
        // A turn may be passed on with every command.
        for (var i = 0; i <= commands.Length; i++)
        {
            foreach (var connection in connections)
                connection.Turns();
        }

        var model = Enumerable.Range(0, Blocks).Select(_ => new byte[512]).ToArray();
        for (var i = 0; i < commands.Length; i++)
        {
            var (connection, lba) = (connections[commands[i].Connection], commands[i].Lba);
            if (commands[i].Write)
                (model[lba], _) = (Pattern(512, i), connection.HearsStatus((uint)i));
            else
                connection.HearsData((uint)i, model[lba]);
        }
        Assert.All(connections, c => c.HearsNothing());
        Assert.Equal(model.SelectMany(b => b), site.Read(0, Blocks * 512));
    }

    private static void Send(ScriptedInitiator connection, Command command, int i)
    {
        var cmdSN = First + (uint)i;
        if (command.Write)
            connection.SaysCommand((uint)i, Write10((uint)command.Lba, 1), write: 512, data: Pattern(512, i), cmdSN: cmdSN);
        else
            connection.SaysCommand((uint)i, Read10((uint)command.Lba, 1), read: 512, cmdSN: cmdSN);
    }
}
