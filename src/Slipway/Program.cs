using System.CommandLine;
using Slipway.Commands.Firmware;

var root = new RootCommand("Boots machines without a disk from a SAN, and shows what each does on its way up.");
root.Add(FirmwareCommand.Create());
return await root.Parse(args).InvokeAsync();
