using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Slipway.Commands.Volumes;
using Slipway.Disks;
using Slipway.Host;
using Slipway.Ipxe.Binaries;
using Slipway.Ipxe.Media;
using Slipway.Ipxe.Scripts;
using Slipway.Ipxe.UBoot;

namespace Slipway.Commands.Firmware;

/// <summary><c>slipway firmware media OUT</c>: an image that boots iPXE and then this site's server.</summary>
internal static class MediaCommand
{
    public static Command Create()
    {
        var output = new Argument<FileInfo>("OUT") { Description = "The image to write" };
        var programs = new Option<FileInfo[]>("--ipxe")
        {
            Description = "iPXE for UEFI, once for each kind of machine, and ipxe.lkrn for BIOS",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
        };
        var server = new Option<Uri?>("--server")
        {
            Description = "The server's address (https://10.1.2.3/): machines ask it for their script",
            CustomParser = SiteOptions.ParseServer,
        };
        var script = new Option<FileInfo?>("--script") { Description = "Your own autoexec.ipxe instead" };
        var format = new Option<MediaFormat>("--format")
        {
            Description = "disk: a GPT, for USB sticks and virtual machines; sd: an MBR and boot.scr, for boards; iso: a CD, and a disk as well",
            CustomParser = Format,
        };
        format.HelpName = "disk|sd|iso";
        var loaders = new Option<BoardLoader[]>("--loader")
        {
            Description = "With sd: a board's own loader and where its ROM looks for it, FILE@OFFSET (u-boot-sunxi-with-spl.bin@8K)",
            CustomParser = result => [.. result.Tokens.Select(t => Loader(result, t.Value)).OfType<BoardLoader>()],
        };
        var sectorSize = new Option<int>("--sector-size") { Description = "512, or 4096 for media with sectors of that size", DefaultValueFactory = _ => 512 };
        sectorSize.AcceptOnlyFromAmong("512", "4096");
        var grub = new Option<DirectoryInfo>("--grub")
        {
            Description = "With ipxe.lkrn: where GRUB's modules for BIOS are (Debian: grub-pc-bin)",
            DefaultValueFactory = _ => new(GrubForBios.DefaultFolder),
        };
        var machine = new SiteOptions.Machine();
        var json = new Option<bool>("--json") { Description = "Print the result as JSON" };
        var command = new Command("media", "Write boot media: a disk, SD card or CD image with iPXE and the script that it runs.")
            { output, programs, server, script, format, loaders, sectorSize, grub, machine.Name, machine.Image, machine.Volume, StoreCommand.State, json };
        command.Validators.Add(machine.Check);
        command.Validators.Add(parsed =>
        {
            if (parsed.GetResult(server) is null == parsed.GetResult(script) is null) parsed.AddError("Give either --server or --script.");
            if (parsed.GetResult(machine.Name) is not null && parsed.GetResult(server) is null) parsed.AddError("--machine goes with --server: a script of your own sets cert and privkey itself.");
            // As it is written: a value that cannot be read has none yet.
            var layout = parsed.GetResult(format)?.Tokens is [var word] ? word.Value.ToLowerInvariant() : "disk";
            if (parsed.GetResult(loaders) is not null && layout != "sd") parsed.AddError("--loader goes with --format sd.");
            if (layout == "sd" && parsed.GetResult(server) is null) parsed.AddError("--format sd goes with --server: boot.scr names it.");
            if (layout is "sd" or "iso" && parsed.GetResult(sectorSize) is { Implicit: false }) parsed.AddError("--sector-size goes with --format disk.");
        });
        command.SetAction((parsed, cancellation) => FirmwareOutput.RunAsync(parsed.GetValue(json), async () =>
        {
            var identity = await machine.IssueAsync(parsed, cancellation);
            var text = parsed.GetValue(script) is { } own ? Script(own) : FirstStageScript.Create(parsed.GetValue(server)!, identity: identity).ToBytes();
            var files = parsed.GetRequiredValue(programs);
            var disk = await Refusable(() => WriteAsync(files, text, parsed.GetValue(format), parsed.GetValue(server), parsed.GetValue(loaders) ?? [], parsed.GetValue(sectorSize), parsed.GetRequiredValue(grub), cancellation));
            var target = parsed.GetRequiredValue(output);
            FirmwareOutput.Write(target, stream => disk.CopyTo(stream), secret: identity is not null);
            var then = parsed.GetValue(script)?.Name ?? parsed.GetValue(server)!.AbsoluteUri;
            return new FirmwareResult(target.FullName, disk.Length,
                $"boots {string.Join(", ", files.Select(p => p.Name))}, then {then}{(identity is null ? "" : $", as {identity.Name}")}");
        }));
        return command;
    }

    private static MediaFormat Format(ArgumentResult result)
    {
        switch (result.Tokens[0].Value.ToLowerInvariant())
        {
            case "disk": return MediaFormat.Disk;
            case "sd": return MediaFormat.Sd;
            case "iso": return MediaFormat.Iso;
            default:
                result.AddError($"'{result.Tokens[0].Value}' is no format: disk, sd or iso");
                return MediaFormat.Disk;
        }
    }

    private static async Task<MemoryDisk> WriteAsync(
        FileInfo[] programs, byte[] script, MediaFormat format, Uri? server, IReadOnlyList<BoardLoader> loaders, int sectorSize, DirectoryInfo grub,
        CancellationToken cancellation)
    {
        var contents = programs.Select(p => (ReadOnlyMemory<byte>)File.ReadAllBytes(p.FullName)).ToList();
        var forBios = contents.Any(c => IpxeBinary.IsLinuxImage(c.Span));
        if (forBios && (format == MediaFormat.Sd || sectorSize != 512))
            throw new ArgumentException("a BIOS starts disks with sectors of 512 bytes, and CDs: leave ipxe.lkrn out");
        var media = new BootMedia(contents, script, forBios ? await GrubForBios.MakeAsync(grub, cancellation) : null);
        if (format == MediaFormat.Iso)
            return await media.WriteIsoAsync(cancellation);
        if (format == MediaFormat.Disk)
            return await media.WriteDiskAsync(sectorSize, cancellation);
        var board = UBootBoard.All.SingleOrDefault(b => media.BootFiles.SetEquals([b.BootFile]))
            ?? throw new ArgumentException("an SD card is for one kind of board: give one --ipxe, for arm64, riscv64 or x86_64");
        media.Add("boot.scr", ScriptImage.Create(board.Script(server!), "Slipway"));
        return await media.WriteSdAsync(loaders, cancellation);
    }

    private static async Task<MemoryDisk> Refusable(Func<Task<MemoryDisk>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception refusal) when (refusal is BinaryPatchException or ArgumentException or HostProgramException)
        {
            throw new FirmwareException(refusal.Message, refusal);
        }
    }

    private static BoardLoader? Loader(ArgumentResult result, string text)
    {
        var at = text.LastIndexOf('@');
        var (file, place) = at > 0 ? (text[..at], text[(at + 1)..].ToUpperInvariant()) : (text, "");
        var unit = place.EndsWith('K') ? 1 << 10 : place.EndsWith('M') ? 1 << 20 : 1;
        if (!int.TryParse(place.TrimEnd('K', 'M'), NumberStyles.None, CultureInfo.InvariantCulture, out var count))
            result.AddError($"'{text}' is not FILE@OFFSET, like u-boot-sunxi-with-spl.bin@8K");
        else if (!File.Exists(file))
            result.AddError($"{file} is not there");
        else
            return new BoardLoader((long)count * unit, File.ReadAllBytes(file));
        return null;
    }

    private static byte[] Script(FileInfo file)
    {
        var bytes = File.ReadAllBytes(file.FullName);
        return bytes.AsSpan().StartsWith("#!ipxe"u8) ? bytes : throw new FirmwareException($"{file.Name} does not begin with #!ipxe: iPXE would not run it");
    }
}
