using System.CommandLine;
using System.CommandLine.Invocation;
using Slipway.Commands;
using Slipway.Commands.Firmware;
using Slipway.Commands.Fleet;
using Slipway.Commands.Targets;
using Slipway.Commands.Volumes;

var commands = new Dictionary<string, Func<Command>>
{
    ["demo"] = DemoCommand.Create,
    ["serve"] = ServeCommand.Create,
    ["doctor"] = DoctorCommand.Create,
    ["firmware"] = FirmwareCommand.Create,
    ["target"] = TargetCommand.Create,
    ["image"] = ImageCommand.Create,
    ["volume"] = VolumeCommand.Create,
    ["machine"] = MachineCommand.Create,
    ["boot"] = BootCommand.Create,
    ["network"] = NetworkCommand.Create,
    ["apply"] = SiteCommands.Apply,
    ["export"] = SiteCommands.Export,
    ["explain"] = ExplainCommand.Create,
    ["schema"] = SchemaCommand.Create,
};
// As git and apt have it.
if (args is ["help", ..]) args = [.. args[1..], "--help"];
var root = new RootCommand("Boots machines without a disk from a SAN, and shows what each does on its way up.");
// Making a command with its options takes milliseconds: where it is clear which one is meant, no other is made.
var isNamed = commands.TryGetValue(args.FirstOrDefault(""), out var named);
foreach (var create in isNamed ? (IEnumerable<Func<Command>>)[named!] : commands.Values) root.Add(create());
var parsed = root.Parse(args);
if (parsed.Action is ParseErrorAction) return await UsageError.TellAsync(parsed);
var invocation = new InvocationConfiguration();
if (args is ["target", ..]) invocation.ProcessTerminationTimeout = TargetCommand.TimeToStop(parsed);
return await parsed.InvokeAsync(invocation);
