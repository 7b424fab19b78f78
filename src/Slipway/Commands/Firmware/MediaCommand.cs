using System.CommandLine;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Slipway.Commands.Fleet;
using Slipway.Commands.Volumes;
using Slipway.Ipxe.Binaries;
using Slipway.Ipxe.Media;
using Slipway.Ipxe.Scripts;
using Slipway.Server.Api;

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
        var machine = new Option<string?>("--machine") { Description = "Media of one machine: with a client certificate that the running server issues for it" };
        var image = new Option<string?>("--image") { Description = "With --machine, where it is not approved yet: it becomes so when it shows the certificate, with a clone of this image" };
        var volume = new Option<string?>("--volume") { Description = "The same, with this volume" };
        var json = new Option<bool>("--json") { Description = "Print the result as JSON" };
        var command = new Command("media", "Write boot media: a disk image with iPXE and the script that it runs.") { output, programs, server, script, machine, image, volume, StoreCommand.State, sectorSize, json };
        command.Validators.Add(parsed =>
        {
            if (parsed.GetResult(server) is null == parsed.GetResult(script) is null) parsed.AddError("Give either --server or --script.");
            if (parsed.GetResult(machine) is not null && parsed.GetResult(server) is null) parsed.AddError("--machine goes with --server: a script of your own sets cert and privkey itself.");
            if (parsed.GetResult(machine) is null && (parsed.GetResult(image) ?? parsed.GetResult(volume)) is not null) parsed.AddError("--image and --volume go with --machine.");
        });
        command.SetAction((parsed, cancellation) => FirmwareOutput.RunAsync(parsed.GetValue(json), async () =>
        {
            var identity = parsed.GetValue(machine) is { } name
                ? await IssueAsync(parsed.GetRequiredValue(StoreCommand.State), new(name, parsed.GetValue(volume), parsed.GetValue(image), null, null, null), cancellation)
                : null;
            return await CreateAsync(parsed.GetRequiredValue(output), parsed.GetRequiredValue(programs), parsed.GetValue(server), parsed.GetValue(script),
                identity, parsed.GetValue(sectorSize), cancellation);
        }));
        return command;
    }

    private static async Task<ClientIdentity> IssueAsync(DirectoryInfo state, ApprovalRequest machine, CancellationToken cancellation)
    {
        using var server = new RunningServer(state.FullName);
        try
        {
            var issued = await server.PostAsync<IssuedCertificateView>("certificates", new ClientCertificateRequest(machine, null), cancellation);
            using var certificate = X509Certificate2.CreateFromPem(issued.Certificate);
            using var key = RSA.Create();
            key.ImportFromPem(issued.Key);
            return new ClientIdentity(machine.Name, certificate.RawData, key.ExportRSAPrivateKey());
        }
        catch (ServerException refusal)
        {
            throw new FirmwareException(refusal.Message, refusal);
        }
    }

    private static async Task<FirmwareResult> CreateAsync(
        FileInfo output, FileInfo[] programs, Uri? server, FileInfo? script, ClientIdentity? identity, int sectorSize, CancellationToken cancellation)
    {
        try
        {
            var text = script is null ? FirstStageScript.Create(server!, identity: identity).ToBytes() : Script(script);
            var contents = programs.Select(p => (ReadOnlyMemory<byte>)File.ReadAllBytes(p.FullName)).ToList();
            var disk = await BootMedia.CreateAsync(contents, text, sectorSize, cancellation);
            FirmwareOutput.Write(output, stream => disk.CopyTo(stream), secret: identity is not null);
            return new(output.FullName, disk.Length, $"boots {string.Join(", ", programs.Select(p => p.Name))}, then {(script is null ? server!.AbsoluteUri : script.Name)}{(identity is null ? "" : $", as {identity.Name}")}");
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
