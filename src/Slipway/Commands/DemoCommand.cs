using System.CommandLine;
using System.Runtime.Versioning;
using Slipway.Demo;
using Slipway.Demo.Image;
using Slipway.Demo.Packages;
using Slipway.Demo.View;
using Slipway.Host;
using Slipway.Server.Site;
using Spectre.Console;

namespace Slipway.Commands;

/// <summary><c>slipway demo</c>: a virtual machine without a disk boots, in a private network, before your eyes.</summary>
internal static class DemoCommand
{
    private const int CannotStart = 2, Interrupted = 130;

    // Set by the command for itself: it runs in its own network namespace now.
    private static readonly Option<bool> Inside = new("--inside") { Hidden = true };

    private static readonly Option<string> Firmware = new("--firmware")
    {
        Description = "What the machine starts with",
        DefaultValueFactory = _ => DemoFirmware.Default.Name,
    };

    private static readonly Option<string?> Break = new("--break") { Description = "Show how a boot that fails looks" };
    private static readonly Option<bool> Headless = new("--headless") { Description = "Plain lines, no terminal control" };
    private static readonly Option<bool> Keep = new("--keep") { Description = "Leave the machine and the server running until Ctrl-C" };

    private static readonly Option<bool> Prepare = new("--prepare") { Description = "Fetch the parts and build the disk, say where they are, and boot nothing" };

    private static readonly Option<DirectoryInfo?> Folder = new("--folder")
    {
        Description = "Where the run leaves the machine's disk, its console and the server's log (default: in the cache folder)",
    };

    public static Command Create()
    {
        Firmware.AcceptOnlyFromAmong([.. DemoFirmware.All.Select(f => f.Name)]);
        Break.AcceptOnlyFromAmong([.. Breaks.Keys]);
        var command = new Command("demo", "Boot a virtual machine without a disk, in a private network, and watch it.")
        {
            Firmware, Break, Headless, Keep, Prepare, Folder, Inside,
        };
        command.SetAction((parsed, cancellation) => OperatingSystem.IsLinux() ? RunAsync(parsed, cancellation) : RefuseAsync());
        return command;
    }

    private static Dictionary<string, DemoBreak> Breaks { get; } = new()
    {
        ["wrong-secret"] = DemoBreak.WrongSecret,
        ["wrong-reverse-secret"] = DemoBreak.WrongReverseSecret,
        ["untrusted-ca"] = DemoBreak.UntrustedCa,
        ["unknown-machine"] = DemoBreak.UnknownMachine,
    };

    private static async Task<int> RefuseAsync()
    {
        await Console.Error.WriteLineAsync("slipway demo: needs Linux (network namespaces and QEMU)");
        return CannotStart;
    }

    [SupportedOSPlatform("linux")]
    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        try
        {
            var options = Options(parsed);
            IDemoView view = options.Headless || Console.IsOutputRedirected ? new PlainView(Console.Out) : new LiveView(AnsiConsole.Console);
            await SystemPackages.EnsureAsync(options.Firmware, view.Progress, cancellation);
            var cache = Path.Combine(DemoCache.Folder, options.Firmware.Architecture.Debian);
            var parts = await DemoParts.EnsureAsync(options.Firmware.Architecture, Path.Combine(cache, "packages"), view.Progress, cancellation);
            var image = await new DemoImage(options.Firmware.Architecture, parts).EnsureAsync(Path.Combine(cache, "image"), view.Progress, cancellation);
            if (parsed.GetValue(Prepare))
            {
                Console.WriteLine($"disk: {image}\nipxe: {parts.Ipxe}\nu-boot: {parts.UBoot}{(parts.GrubBios is null ? "" : $"\ngrub-bios: {parts.GrubBios}")}");
                return 0;
            }
            if (!parsed.GetValue(Inside))
                PrivateNamespace.Enter(["demo", "--inside", .. parsed.Tokens.Skip(1).Select(t => t.Value)]);

            Directory.CreateDirectory(options.Folder);
            using var turn = FolderLock.TryTake(options.Folder)
                ?? throw new DemoException($"another demo runs in {options.Folder}: give this one a --folder of its own");
            var run = new DemoRun(options, parts, image, view);
            var result = await run.RunAsync(cancellation);
            DemoReport.Print(Console.Out, options, run, result);
            return result.Booted ? 0 : 1;
        }
        catch (Exception e) when (e is DemoException or HostProgramException or SiteConfigurationException)
        {
            await Console.Error.WriteLineAsync($"slipway demo: {e.Message}");
            return CannotStart;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("slipway demo: interrupted");
            return Interrupted;
        }
    }

    private static DemoOptions Options(ParseResult parsed)
    {
        var firmware = DemoFirmware.Named(parsed.GetRequiredValue(Firmware));
        return new DemoOptions(
            firmware,
            parsed.GetValue(Break) is { } wrong ? Breaks[wrong] : DemoBreak.Nothing,
            parsed.GetValue(Headless),
            parsed.GetValue(Keep),
            parsed.GetValue(Folder)?.FullName ?? Path.Combine(DemoCache.Folder, "runs", firmware.Name));
    }
}
