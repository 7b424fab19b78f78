using System.Globalization;
using System.Text;
using Slipway.Bench.Network.Peers;
using Slipway.Volumes.Store;

namespace Slipway.Bench.Network.Storm;

/// <summary>
/// A site whose power came back: ten thousand machines are known, each with a disk; a server that was just started; a
/// thousand machines that boot within a minute. Rows share a storm: each round has one, whoever asks first.
/// </summary>
internal sealed class BootStorm(Bench bench, int seconds)
{
    public const int Known = 10_000, Booting = 1_000;

    private const string Image = "golden";
    private readonly List<(StormFigures Figures, double MemoryMiB, double StartSeconds)> _rounds = [];

    /// <summary>One figure of each round, in order.</summary>
    public Series Series(Func<(StormFigures Figures, double MemoryMiB, double StartSeconds), double> figure)
    {
        var next = 0;
        return new("Slipway", () =>
        {
            while (_rounds.Count <= next)
                _rounds.Add(Run(_rounds.Count));
            return figure(_rounds[next++]);
        });
    }

    private (StormFigures, double, double) Run(int round)
    {
        var state = bench.NewFile("storm");
        var site = bench.NewFile("storm.yaml");
        if (!Directory.Exists(state))
            Prepare(state, site);
        using var wire = new Wire();
        using var server = new SlipwayServe(bench, wire, site, state);
        var first = round * Booting % Known;
        var output = Tool.Run("ip", wire.InClients(Environment.ProcessPath!, "machines", $"{first}", $"{Booting}", $"{seconds}", Path.Combine(state, "ca.pem")));
        var figures = StormFigures.Parse(output);
        foreach (var failure in figures.Failures.Take(5))
            Console.Error.WriteLine($"storm: {failure}");
        return (figures, server.ResidentSet / 1048576.0, server.StartTime.TotalSeconds);
    }

    private void Prepare(string state, string site)
    {
        var store = new VolumeStore(state);
        var disk = bench.NewFile("golden.img");
        CreateEmpty(disk);
        var image = store.Images.ImportAsync(disk, Image).AsTask().GetAwaiter().GetResult();
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $$"""
            name: bench
            state: {{state}}
            networks:
              - name: boot
                interface: {{Wire.Link}}
                address: {{Wire.Server}}/24
                relays:
                  - { name: hall, subnet: {{Wire.Hall}}, pool: [10.80.1.0-10.80.200.255], router: {{Wire.Relay}} }
            machines:
            """);
        for (var i = 0; i < Known; i++)
        {
            store.CloneAsync($"m{i}", image).AsTask().GetAwaiter().GetResult();
            text.AppendLine(CultureInfo.InvariantCulture, $"  - {{ name: m{i}, mac: \"{StormMachine.MacOf(i)}\", volume: m{i}, firmware: ibft }}");
        }
        File.WriteAllText(site, text.ToString());
    }
    private static void CreateEmpty(string disk)
    {
        using var file = File.Create(disk);
        file.SetLength((long)Bench.DiskMiB << 20);
    }
}
