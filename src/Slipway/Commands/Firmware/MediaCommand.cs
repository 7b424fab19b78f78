using System.CommandLine;
using Slipway.Ipxe.Binaries;
using Slipway.Ipxe.Media;
using Slipway.Ipxe.Scripts;

namespace Slipway.Commands.Firmware;

/// <summary><c>slipway firmware media OUT</c>: a disk image that boots iPXE and then this site's server.</summary>
internal static class MediaCommand
{
    public static Command Create()
    {
        var output = new Argument<FileInfo>("OUT") { Description = "The disk image to write: to a USB stick, an SD card, or a virtual machine's disk" };
        var programs = new Option<FileInfo[]>("--ipxe")
        {
            Description = "iPXE for UEFI, once for each kind of machine",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
        };
        var server = new Option<Uri?>("--server")
        {
            Description = "The server's address (https://10.1.2.3/): machines ask it for their script",
            CustomParser = result =>
            {
                if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var uri) && uri.Scheme is ("https" or "http")) return uri;
                result.AddError($"'{result.Tokens[0].Value}' is not an address like https://10.1.2.3/");
                return null;
            },
        };
        var script = new Option<FileInfo?>("--script") { Description = "Your own autoexec.ipxe instead" };
        var sectorSize = new Option<int>("--sector-size") { Description = "512, or 4096 for media with sectors of that size", DefaultValueFactory = _ => 512 };
        sectorSize.AcceptOnlyFromAmong("512", "4096");
        var json = new Option<bool>("--json") { Description = "Print the result as JSON" };
        var command = new Command("media", "Write boot media: a disk image with iPXE and the script that it runs.") { output, programs, server, script, sectorSize, json };
        command.Validators.Add(parsed =>
        {
            if (parsed.GetResult(server) is null == parsed.GetResult(script) is null) parsed.AddError("Give either --server or --script.");
        });
        command.SetAction(parsed => FirmwareOutput.Run(parsed.GetValue(json), () =>
            Create(parsed.GetRequiredValue(output), parsed.GetRequiredValue(programs), parsed.GetValue(server), parsed.GetValue(script), parsed.GetValue(sectorSize))));
        return command;
    }

    private static FirmwareResult Create(FileInfo output, FileInfo[] programs, Uri? server, FileInfo? script, int sectorSize)
    {
        try
        {
            var text = script is null ? FirstStageScript.Create(server!).ToBytes() : Script(script);
            var contents = programs.Select(p => (ReadOnlyMemory<byte>)File.ReadAllBytes(p.FullName)).ToList();
            // All of it is in memory: the task is complete when it returns.
            var disk = BootMedia.CreateAsync(contents, text, sectorSize).AsTask().GetAwaiter().GetResult();
            FirmwareOutput.Write(output, stream => disk.CopyTo(stream));
            return new(output.FullName, disk.Length, $"boots {string.Join(", ", programs.Select(p => p.Name))}, then {(script is null ? server!.AbsoluteUri : script.Name)}");
        }
        catch (BinaryPatchException refusal)
        {
            throw new FirmwareException(refusal.Message, refusal);
        }
        catch (ArgumentException refusal)
        {
            throw new FirmwareException(refusal.Message, refusal);
        }
    }

    private static byte[] Script(FileInfo file)
    {
        var bytes = File.ReadAllBytes(file.FullName);
        return bytes.AsSpan().StartsWith("#!ipxe"u8) ? bytes : throw new FirmwareException($"{file.Name} does not begin with #!ipxe: iPXE would not run it");
    }
}
