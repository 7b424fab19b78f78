using System.CommandLine;
using Slipway.Commands;
using Slipway.Commands.Firmware;
using Slipway.Commands.Fleet;
using Slipway.Commands.Targets;
using Slipway.Commands.Volumes;

var root = new RootCommand("Boots machines without a disk from a SAN, and shows what each does on its way up.");
root.Add(DemoCommand.Create());
root.Add(ServeCommand.Create());
root.Add(FirmwareCommand.Create());
root.Add(TargetCommand.Create());
root.Add(ImageCommand.Create());
root.Add(VolumeCommand.Create());
root.Add(MachineCommand.Create());
root.Add(BootCommand.Create());
root.Add(NetworkCommand.Create());
var parsed = root.Parse(args);
return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TargetCommand.TimeToStop(parsed) });
