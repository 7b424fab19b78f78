using System.CommandLine;
using System.Text;
using Slipway.Ipxe.UBoot;

namespace Slipway.Commands.Firmware;

/// <summary><c>slipway firmware uboot OUT</c>: what makes a board's U-Boot start iPXE.</summary>
internal static class UBootCommand
{
    public static Command Create()
    {
        var output = new Argument<DirectoryInfo>("OUT") { Description = "The folder to write to" };
        var board = new Option<string>("--for") { Description = "The board's processor", Required = true };
        board.AcceptOnlyFromAmong([.. UBootBoard.All.Select(b => b.Name)]);
        var server = new Option<Uri>("--server")
        {
            Description = "The server's address (https://10.1.2.3/)",
            Required = true,
            CustomParser = SiteOptions.ParseServer,
        };
        var device = new Option<UBootDevice>("--device")
        {
            Description = "The medium with iPXE as U-Boot calls it, for the environment: mmc 0:1",
            DefaultValueFactory = _ => new("mmc", 0, 1),
            CustomParser = result =>
            {
                if (UBootDevice.Parse(result.Tokens[0].Value) is { } parsed) return parsed;
                result.AddError($"'{result.Tokens[0].Value}' is not a partition as U-Boot names it, like \"mmc 0:1\"");
                return null;
            },
        };
        var json = new Option<bool>("--json") { Description = "Print the result as JSON" };
        var command = new Command("uboot", "Write boot.scr, an environment and extlinux.conf by which a board's U-Boot starts iPXE.") { output, board, server, device, json };
        command.SetAction((parsed, _) => FirmwareOutput.RunAsync(parsed.GetValue(json), () => Task.FromResult(Write(
            parsed.GetRequiredValue(output), UBootBoard.All.Single(b => b.Name == parsed.GetValue(board)), parsed.GetRequiredValue(server), parsed.GetRequiredValue(device)))));
        return command;
    }

    private static FirmwareFolder Write(DirectoryInfo output, UBootBoard board, Uri server, UBootDevice device)
    {
        var script = board.Script(server);
        var environment = board.Environment(server, device);
        var files = new Dictionary<string, byte[]>
        {
            ["boot.scr"] = ScriptImage.Create(script, "Slipway"),
            ["boot.cmd"] = Encoding.ASCII.GetBytes(script),
            ["slipway.env"] = Encoding.ASCII.GetBytes(environment),
            ["extlinux/extlinux.conf"] = Encoding.ASCII.GetBytes(UBootBoard.Extlinux),
        };
        foreach (var (name, content) in files)
        {
            var file = new FileInfo(Path.Combine(output.FullName, name));
            file.Directory!.Create();
            FirmwareOutput.Write(file, stream => stream.Write(content));
        }
        return new FirmwareFolder([.. files.Keys.Select(name => Path.Combine(output.FullName, name))], "boot.scr runs by itself. For the environment, at U-Boot's prompt:",
        [
            $"load {device.Type} {device.Number}:{device.Partition} ${{scriptaddr}} slipway.env",
            "env import -t ${scriptaddr} ${filesize}",
            "saveenv",
        ]);
    }
}
