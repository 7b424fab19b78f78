using Slipway.Bench;
using Slipway.Bench.Volumes;

// Arguments of bench/volumes/run, after the repository's root.
return BenchRun.Run(args, "volumes", "peer", (bench, quick) => new Rows(new Loads(bench, seconds: quick ? 1 : 2), new Golden(bench)).All);
