using Slipway.Bench;
using Slipway.Bench.Iscsi;

// Arguments of bench/iscsi/run, after the repository's root.
return BenchRun.Run(args, "iscsi", "tgt", (bench, quick) => new Rows(new Loads(bench, seconds: quick ? 1 : 2)).All);
