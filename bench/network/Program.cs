using Slipway.Bench;
using Slipway.Bench.Network;
using Slipway.Bench.Network.Storm;

// Arguments of bench/network/run, after the repository's root; or of the storm's machines, a process of their own.
return args is ["machines", .. var how]
    ? await StormMachines.RunAsync(how)
    : BenchRun.Run(args, "network", "Kea", (bench, quick) => new Rows(quick).All);
