using System.CommandLine;
using System.Text;
using Slipway.Commands.Volumes;
using Slipway.Ipxe.Builds;
using Slipway.Ipxe.Scripts;

namespace Slipway.Commands.Firmware;

/// <summary><c>slipway firmware config OUT</c>: what a build of iPXE from source needs.</summary>
internal static class ConfigCommand
{
    private const string ScriptFile = "slipway.ipxe", RootFile = "slipway-ca.pem";

    public static Command Create()
    {
        var output = new Argument<DirectoryInfo>("OUT") { Description = "iPXE's src folder, or another whose content is copied there" };
        var server = new Option<Uri>("--server")
        {
            Description = "The server's address (https://10.1.2.3/): machines ask it for their script",
            Required = true,
            CustomParser = SiteOptions.ParseServer,
        };
        var authority = SiteOptions.Authority();
        var targets = new Option<string[]>("--for")
        {
            Description = "For which machines make lines are printed; all where left out",
            AllowMultipleArgumentsPerToken = true,
        };
        targets.AcceptOnlyFromAmong([.. IpxeBuild.Targets.Select(t => t.Name)]);
        var awake = new Option<bool>("--no-sleep") { Description = "Also keep iPXE from halting the processor: needed under U-Boot, which has no timer interrupt" };
        var machine = new SiteOptions.Machine();
        var json = new Option<bool>("--json") { Description = "Print the result as JSON" };
        var command = new Command("config", "Write iPXE's general.h, console.h and nap.h and the script to build in, and print the make lines.")
            { output, server, authority, targets, awake, machine.Name, machine.Image, machine.Volume, StoreCommand.State, json };
        command.Validators.Add(machine.Check);
        command.SetAction((parsed, cancellation) => FirmwareOutput.RunAsync(parsed.GetValue(json), async () =>
        {
            var identity = await machine.IssueAsync(parsed, cancellation);
            return Write(parsed.GetRequiredValue(output), parsed.GetRequiredValue(server), parsed.GetRequiredValue(authority), identity,
                parsed.GetValue(targets) is { Length: > 0 } names ? names : [.. IpxeBuild.Targets.Select(t => t.Name)], parsed.GetValue(awake));
        }));
        return command;
    }

    private static FirmwareFolder Write(DirectoryInfo output, Uri server, FileInfo authority, ClientIdentity? identity, string[] targets, bool awake)
    {
        using var root = SiteOptions.ReadAuthority(authority);
        var (script, rootFile) = (Path.Combine(output.FullName, ScriptFile), Path.Combine(output.FullName, RootFile));
        var files = new Dictionary<string, string>
        {
            [script] = FirstStageScript.Create(server, identity: identity).ToString(),
            [rootFile] = root.ExportCertificatePem() + "\n",
            [Header("general.h")] = IpxeBuild.General,
            [Header("console.h")] = IpxeBuild.Console,
        };
        if (awake)
            files[Header("nap.h")] = IpxeBuild.Nap;
        try
        {
            var lines = IpxeBuild.Targets.Where(t => targets.Contains(t.Name)).Select(t => IpxeBuild.MakeLine(t, script, rootFile)).ToList();
            Directory.CreateDirectory(Path.Combine(output.FullName, IpxeBuild.LocalFolder));
            foreach (var (path, text) in files)
                FirmwareOutput.Write(new FileInfo(path), stream => stream.Write(Encoding.ASCII.GetBytes(text)), secret: identity is not null && path == script);
            return new FirmwareFolder([.. files.Keys], "In iPXE's src:", lines);
        }
        catch (ArgumentException refusal)
        {
            throw new FirmwareException(refusal.Message, refusal);
        }

        string Header(string name) => Path.Combine(output.FullName, IpxeBuild.LocalFolder, name);
    }
}
