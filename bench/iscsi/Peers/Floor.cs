using Slipway.Bench.Peers;

namespace Slipway.Bench.Iscsi.Peers;

/// <summary>floor.c: a C program that does nothing but answer.</summary>
internal sealed class Floor(Bench bench) : Peer(Place, bench.Program("floor"), $"{Place.Port}", $"{Bench.DiskMiB}")
{
    private static readonly Address Place = new(14260, "iqn.2026-11.bench:floor", 1);
}
