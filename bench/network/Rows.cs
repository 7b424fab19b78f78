using Slipway.Bench.Network.Peers;
using Slipway.Bench.Network.Storm;

namespace Slipway.Bench.Network;

/// <summary>All rows, in the order of the table.</summary>
internal sealed class Rows(bool quick)
{
    private const string Slipway = "Slipway", Kea = "Kea", Pool = "10.65.0.0-10.79.255.254";

    // A server that is asked for more than it serves loses part of an exchange and has worked for nothing: the figure is
    // the best over these.
    private static readonly int[] Offered = [6_000, 9_000, 13_000, 19_000, 25_000];

    public IEnumerable<Row> All
    {
        get
        {
            yield return new("dhcp-leases", "DHCP leases, durable, each of a new client", "leases/s", Slipway, Kea, new(1), null, bench =>
            {
                var (wire, site) = (new Wire(), Site(bench));
                var load = new Perfdhcp(wire, seconds: quick ? 2 : 4);
                return new Round(
                [
                    new(Slipway, () =>
                    {
                        var state = bench.NewFile("dhcp");
                        using var server = new SlipwayServe(bench, wire, site, state);
                        return Best(load);
                    }),
                    new(Kea, () =>
                    {
                        using var server = Peers.Kea.Start(bench, wire, Pool);
                        return Best(load);
                    }),
                ],
                wire);
            });
            BootStorm? storm = null;
            Row Storm(string id, string work, string unit, Bar? bar, Func<(StormFigures Figures, double MemoryMiB, double StartSeconds), double> figure) =>
                new(id, work, unit, Slipway, null, bar, null, bench => new Round([(storm ??= new BootStorm(bench, seconds: quick ? 20 : 50)).Series(figure)]));

            yield return Storm("storm-dhcp", "Boot storm: p99 of an answer of DHCP", "ms", new(10, AtMost: true), r => StormFigures.Percentile(r.Figures.Dhcp, 0.99));
            yield return Storm("storm-script", "the same: p99 of a script, from connecting to its last byte", "ms", new(50, AtMost: true), r => StormFigures.Percentile(r.Figures.Script, 0.99));
            yield return Storm("storm-login", "the same: p99 of an iSCSI login with mutual CHAP", "ms", null, r => StormFigures.Percentile(r.Figures.Login, 0.99));
            yield return Storm("storm-failures", "the same: machines that met a timeout or a refusal", "machines", new(0, AtMost: true), r => r.Figures.Failures.Length);
            yield return Storm("storm-memory", "the same: resident memory at its end", "MiB", new(400, AtMost: true), r => r.MemoryMiB);
            yield return Storm("storm-start", "Start of the server with ten thousand machines and their clones", "s", null, r => r.StartSeconds);
        }
    }

    // Code is compiled first.
    private static double Best(Perfdhcp load)
    {
        load.Leases(Offered[0]);
        return Offered.Max(load.Leases);
    }

    private static string Site(Bench bench)
    {
        var site = bench.NewFile("dhcp.yaml");
        File.WriteAllText(site, $$"""
            name: bench
            state: {{bench.NewFile("dhcp")}}
            networks:
              - { name: bench, interface: {{Wire.Link}}, address: {{Wire.Server}}/12, pool: [{{Pool}}], lease-time: 1h, probe: false }
            machines: []
            """);
        return site;
    }
}
