using System.Runtime.Versioning;
using System.Text;
using Microsoft.Extensions.Logging;
using Serilog;
using Slipway.Demo.Image;
using Slipway.Demo.Machine;
using Slipway.Demo.Packages;
using Slipway.Demo.View;
using Slipway.Disks;
using Slipway.Disks.FileSystems;
using Slipway.Disks.Partitions;
using Slipway.Fleet.Boots;
using Slipway.Server;
using Slipway.Volumes;

namespace Slipway.Demo;

/// <summary>One boot of one machine, in a network namespace that is the demo's own.</summary>
[SupportedOSPlatform("linux")]
internal sealed class DemoRun(DemoOptions options, DemoParts parts, string image, IDemoView view)
{
    // Nothing before the machine's first DHCP packet can be seen from here. Emulated firmware takes seconds.
    private static readonly TimeSpan FirstSignOfLife = TimeSpan.FromMinutes(3);

    // Emulated firmware has been seen to crash, and to reset itself: U-Boot on a PC in one start of some tens.
    private const int Starts = 3;

    private static readonly TimeSpan PowerOff = TimeSpan.FromSeconds(60);

    private readonly string _volume = Path.Combine(options.Folder, "disk.raw");
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string ConsoleLog => Path.Combine(options.Folder, "console.log");

    public string ServerLog => Path.Combine(options.Folder, "server.log");

    /// <exception cref="DemoException">The machine or the server cannot be started.</exception>
    public async Task<DemoResult> RunAsync(CancellationToken cancellation)
    {
        await PrepareDiskAsync(cancellation);
        await PrivateNetwork.CreateAsync(machines: 1, cancellation);
        var result = await BootAsync(cancellation);
        return result.Booted ? await WithRecordAsync(result, cancellation) : result;
    }

    private async Task<DemoResult> BootAsync(CancellationToken cancellation)
    {
        using var logs = Logs();
        await using var server = await SlipwayServer.StartAsync(
            DemoSite.Create(options.Break, Path.Combine(options.Folder, "state"), parts.Ipxe, _volume), logs, cancellation);
        using var following = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var showing = ShowAsync(server.Timelines, following.Token);

        var trusted = options.Break == DemoBreak.UntrustedCa ? DemoSite.AnotherAuthority() : server.Authority.Fingerprint;
        var command = await DemoMachine.AssembleAsync(
            options.Firmware, parts, DemoSite.Mac, new Uri($"https://{PrivateNetwork.Server}/"), trusted, options.Folder, cancellation);
        File.Delete(ConsoleLog);
        var result = await StartAsync(command, server, cancellation);
        for (var start = 2; result.FellBeforeSystem && start <= Starts; start++)
        {
            view.Progress($"{result.Failure}, which ended with \"{(result.LastLines is [.., var last] ? last : "nothing")}\". It is started again (start {start} of at most {Starts})");
            result = await StartAsync(command, server, cancellation);
        }
        await following.CancelAsync();
        await showing;
        return result;
    }

    private async Task<DemoResult> StartAsync(QemuCommand command, SlipwayServer server, CancellationToken cancellation)
    {
        await using var machine = QemuMachine.Start(command, ConsoleLog);
        machine.Console.Line += view.Console;
        var result = await view.ShowAsync($"{options.Firmware.Name}: a machine without a disk boots", () => ResultAsync(machine, server, cancellation));
        if (options.Keep && result.Booted)
            await StayAsync(machine, cancellation);
        return result;
    }

    private static async Task<string?> ReadBootRecordAsync(IBlockDevice disk, CancellationToken cancellation)
    {
        var (root, file) = await FindOnRootAsync(disk, DemoImage.BootRecord, cancellation);
        return file is null ? null : Encoding.UTF8.GetString(await root!.ReadAllAsync(file, cancellation: cancellation));
    }

    private async Task PrepareDiskAsync(CancellationToken cancellation)
    {
        Directory.CreateDirectory(options.Folder);
        File.Copy(image, _volume, overwrite: true);
        if (!options.Keep)
            return;
        await using var disk = await Volume.OpenAsync(_volume, cancellation: cancellation);
        var (root, file) = await FindOnRootAsync(disk, DemoImage.AfterBoot, cancellation);
        await root!.OverwriteAsync(file!, 0, "stay\n"u8.ToArray(), cancellation);
    }

    private static async Task<(IFileSystem? Root, FileEntry? File)> FindOnRootAsync(IBlockDevice disk, string path, CancellationToken cancellation)
    {
        await foreach (var (_, root) in FileSystem.InPartitionsAsync(disk, await PartitionTable.ReadAsync(disk, cancellation), cancellation))
        {
            if (root.Kind != "vfat")
                return (root, await root.FindAsync(path, cancellation));
        }
        return default;
    }

    /// <summary>Shows what happens. The run is over for the demo when the machine is up, or stalled.</summary>
    private async Task ShowAsync(BootTimelines timelines, CancellationToken cancellation)
    {
        try
        {
            await foreach (var e in timelines.FollowAsync(cancellation: cancellation))
            {
                view.Event(e);
                if (e.Mac == DemoSite.Mac && (e.Kind == BootEventKind.Stalled || e is { Stage: BootStage.Up, Kind: BootEventKind.Entered }))
                    _over.TrySetResult();
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task<DemoResult> ResultAsync(QemuMachine machine, SlipwayServer server, CancellationToken cancellation)
    {
        await Task.WhenAny(_over.Task, machine.Ended, SilenceAsync(server, cancellation)).WaitAsync(cancellation);
        cancellation.ThrowIfCancellationRequested();
        var boot = server.Timelines.Of(DemoSite.Mac);
        var failure = Failure(boot, machine);
        if (failure is null && !options.Keep)
        {
            var off = machine.Ended.WaitAsync(PowerOff, cancellation);
            await ((Task)off).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellation.ThrowIfCancellationRequested();
            if (!off.IsCompletedSuccessfully)
                failure = $"the machine is up but did not switch itself off within {PowerOff.TotalSeconds:0} s";
        }
        return new DemoResult(server.Timelines.Of(DemoSite.Mac), failure, Record: null, machine.Console.LastLines(12))
        {
            FellBeforeSystem = machine.Ended.IsCompleted && (boot is null || boot is { Outcome: BootOutcome.Running, Refusal: null, Stage: < BootStage.OsLogin }),
        };
    }

    /// <summary>Looks for the machine's word into its volume, which the server has let go of.</summary>
    private async Task<DemoResult> WithRecordAsync(DemoResult result, CancellationToken cancellation)
    {
        await using var disk = await Volume.OpenAsync(_volume, readOnly: true, cancellation);
        return await ReadBootRecordAsync(disk, cancellation) is { } record
            ? result with { Record = record }
            : result with { Failure = $"the machine is up but its volume has no {DemoImage.BootRecord}" };
    }

    private static string? Failure(Boot? boot, QemuMachine machine) => boot switch
    {
        { Outcome: BootOutcome.Up } => null,
        { Outcome: BootOutcome.Stalled } => $"the boot stalled at {boot.Stage.Name()}: {StallDiagnosis.LikelyCause(boot)}",
        { Refusal: { } refusal } => $"the boot was refused at {boot.Stage.Name()}: {refusal.Text}",
        _ when machine.Ended.IsCompleted => $"the machine went off at {boot?.Stage.Name() ?? "its firmware"}: look at its console",
        _ => $"nothing was heard of the machine within {FirstSignOfLife.TotalMinutes:0} minutes: its firmware did not ask for an address",
    };

    /// <summary>Ends when the machine has been silent from its start for too long.</summary>
    private static async Task SilenceAsync(SlipwayServer server, CancellationToken cancellation)
    {
        await Task.Delay(FirstSignOfLife, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (server.Timelines.Of(DemoSite.Mac) is not null)
            await Task.Delay(Timeout.Infinite, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task StayAsync(QemuMachine machine, CancellationToken cancellation)
    {
        view.Progress($"the machine is up and stays; its disk is {_volume}, its console is in {ConsoleLog}. Ctrl-C ends it");
        await Task.WhenAny(machine.Ended, Task.Delay(Timeout.Infinite, cancellation));
    }

    private ILoggerFactory Logs()
    {
        File.Delete(ServerLog);
        var log = new LoggerConfiguration()
            .MinimumLevel.Information().MinimumLevel.Override("Microsoft", Serilog.Events.LogEventLevel.Warning)
            .WriteTo.File(ServerLog, formatProvider: System.Globalization.CultureInfo.InvariantCulture)
            .CreateLogger();
        return LoggerFactory.Create(logging => logging.AddSerilog(log, dispose: true));
    }
}

/// <param name="Boot">Null where nothing was heard of the machine.</param>
/// <param name="Failure">Why the demo failed; null where it did not.</param>
/// <param name="Record">What the machine wrote to its root.</param>
/// <param name="LastLines">Of its console.</param>
internal sealed record DemoResult(Boot? Boot, string? Failure, string? Record, IReadOnlyList<string> LastLines)
{
    public bool Booted => Failure is null;

    /// <summary>The machine ended by itself, unrefused, before the operating system had its disk.</summary>
    public bool FellBeforeSystem { get; init; }
}
