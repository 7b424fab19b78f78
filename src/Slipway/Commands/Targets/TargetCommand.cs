using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Slipway.Commands.Volumes;
using Slipway.Disks;
using Slipway.Iscsi.Chap;
using Slipway.Iscsi.Target;
using Slipway.Scsi;
using Slipway.Server.Iscsi;
using Slipway.Volumes.Layers;

namespace Slipway.Commands.Targets;

/// <summary><c>slipway target FILE...</c>: files as the disks of one iSCSI target, until interrupted.</summary>
internal static class TargetCommand
{
    // On a busy host a server takes a few seconds to close what it has open; systemd kills after 90.
    private static readonly TimeSpan UsualTimeToStop = TimeSpan.FromSeconds(15);

    private static readonly Argument<DiskArgument[]> Disks = new("FILE|VOLUME[,OPTION...]")
    {
        Description = $"A raw or qcow2 image; or a volume's name (no file has it). Options of this disk alone: {DiskArgument.Options}",
        Arity = ArgumentArity.OneOrMore,
        CustomParser = ParseDisks,
    };

    private static readonly Option<string?> Name = new("--iqn")
    {
        Description = "The target's name; made from the first file's name otherwise",
        CustomParser = result => TokenValues.Parse(result, PortalOptions.IscsiNameOf) is [var name] ? name : null,
    };

    private static readonly Option<string> Trace = new("--trace") { Description = "Append every call to the disk to this file: when, what, where, how long, in which file" };

    private static readonly Option<FaultRule[]> Faults = new("--fault")
    {
        Description = "Let the disks fail by rule, like 'error on=write after=100' or 'delay=50ms chance=0.1'; may be repeated",
        DefaultValueFactory = _ => [],
        CustomParser = ParseFaults,
    };

    private static readonly Option<bool> ReadOnly = new("--read-only") { Description = "Refuse writes" };
    private static readonly Option<bool> Removable = new("--removable") { Description = "Disks that can be ejected and loaded again" };
    private static readonly Option<int> BlockSize = new("--block-size") { Description = "512 or 4096 bytes", DefaultValueFactory = _ => 512 };

    private static readonly Option<int> Drain = new("--drain")
    {
        Description = "SECONDS that initiators are given to log out, when asked to, before the program ends",
        CustomParser = result =>
        {
            if (int.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds <= 3600)
                return seconds;
            result.AddError($"'{result.Tokens[0].Value}': --drain takes 0 to 3600 seconds");
            return 0;
        },
    };

    /// <summary>How long an interrupted command may take to end.</summary>
    public static TimeSpan TimeToStop(ParseResult parsed) => UsualTimeToStop + TimeSpan.FromSeconds(parsed.CommandResult.GetResult(Drain) is null ? 0 : parsed.GetValue(Drain));

    public static Command Create()
    {
        BlockSize.AcceptOnlyFromAmong("512", "4096");
        var command = new Command("target", "Serve files as the disks of one iSCSI target: the first is LUN 0, the next LUN 1.")
        {
            Disks, Name, ReadOnly, Removable, BlockSize, Trace, Faults, Drain, StoreCommand.State, StoreCommand.Json,
        };
        foreach (var option in PortalOptions.All.Concat(ChapOptions.All))
            command.Add(option);
        command.Validators.Add(ChapOptions.Check);
        command.Validators.Add(given =>
        {
            if (given.GetResult(Trace) is not null && given.GetResult(Disks)?.Tokens.Count > 1) given.AddError("--trace follows one disk, and there are several");
            if (given.GetResult(Trace)?.Tokens is [{ Value: "" }]) given.AddError("--trace wants the name of a file");
        });
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        var served = new List<ServedDisk>();
        try
        {
            var chap = ChapOptions.Policy(parsed);
            var disks = parsed.GetRequiredValue(Disks);
            var target = new TargetDevice(parsed.GetValue(Name) ?? NameOf(disks[0].File));
            foreach (var disk in disks)
            {
                var open = await OpenAsync(disk, parsed, stop);
                served.Add(open);
                target.Attach(open.Lun, open.Unit);
            }
            await ServeAsync(target, served, chap, parsed, stop);
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SocketException or DiskFormatException or BlockDeviceException)
        {
            await CommandError.TellAsync(parsed.GetValue(StoreCommand.Json), e.Message, "slipway target");
            return 1;
        }
        finally
        {
            foreach (var disk in served)
                await disk.DisposeAsync();
        }
    }

    private static Task<ServedDisk> OpenAsync(DiskArgument disk, ParseResult parsed, CancellationToken stop)
    {
        var whole = disk with
        {
            ReadOnly = disk.ReadOnly || parsed.GetValue(ReadOnly),
            Removable = disk.Removable || parsed.GetValue(Removable),
            BlockSize = disk.BlockSize ?? parsed.GetValue(BlockSize),
        };
        return ServedDisk.OpenAsync(whole, parsed.GetRequiredValue(StoreCommand.State).FullName, parsed.GetRequiredValue(Faults), parsed.GetValue(Trace), stop);
    }

    private static async Task ServeAsync(TargetDevice target, List<ServedDisk> disks, ChapPolicy? chap, ParseResult parsed, CancellationToken stop)
    {
        using var logs = LoggerFactory.Create(b =>
        {
            b.AddSimpleConsole(o => (o.SingleLine, o.TimestampFormat) = (true, "HH:mm:ss "));
            // What is served is for programs too: nothing else goes to the standard output.
            b.Services.Configure<ConsoleLoggerOptions>(o => o.LogToStandardErrorThreshold = LogLevel.Trace);
        });
        var policy = PortalOptions.Policy(parsed);
        var directory = new SingleTarget(target.Name, target, chap, policy);
        await using var listener = new IscsiListener(PortalOptions.ListenOn(parsed), directory, directory, TimeProvider.System, logs.CreateLogger("slipway"));
        try
        {
            listener.Start();
        }
        catch (SocketException e)
        {
            throw new IOException($"{string.Join(", ", PortalOptions.ListenOn(parsed))}: {e.Message}: is the address on this host (ip address), and the port free (ss -lntp)? --portal names another", e);
        }
        var portals = PortalOptions.Reached(listener.Endpoints, policy);
        var description = new TargetDescription(target.Name, [.. portals.Select(p => p.ToString())], [.. disks.Select(d => d.Describe(target.Name, portals))]);
        Console.WriteLine(parsed.GetValue(StoreCommand.Json) ? description.ToJson() : string.Join('\n', description.Disks.SelectMany(d => d.Urls)));
        foreach (var portal in listener.Endpoints)
        {
            if (chap is null && !IPAddress.IsLoopback(portal.Address))
                await Console.Error.WriteLineAsync($"warning: without --chap-user everybody who reaches {portal}{(policy.Access.IsEverybody ? "" : ", and says a name that is allowed,")} can read and write {(disks.Count == 1 ? "this disk" : "these disks")}");
        }
        await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (parsed.GetValue(Drain) is > 0 and var seconds)
            await listener.DrainAsync(TimeSpan.FromSeconds(seconds));
    }

    /// <summary>RFC 3722: lower case letters, digits, full stops, hyphens and colons.</summary>
    private static string NameOf(string file)
    {
        var name = new StringBuilder("iqn.2026-11.slipway:");
        foreach (var c in Path.GetFileNameWithoutExtension(file).ToLowerInvariant())
            name.Append(char.IsAsciiLetterOrDigit(c) || c is '.' or '-' ? c : '-');
        return name.ToString(0, Math.Min(name.Length, IscsiName.MaxBytes));
    }

    private static DiskArgument[] ParseDisks(ArgumentResult result)
    {
        var disks = TokenValues.Parse(result, DiskArgument.Parse);
        var files = new Dictionary<byte, string>();
        var lun = -1;
        for (var i = 0; i < disks.Length; i++)
        {
            lun = disks[i].Lun ?? lun + 1;
            if (lun > byte.MaxValue)
                result.AddError($"{disks[i].File} would be LUN {lun}: a target has at most {byte.MaxValue + 1} disks, LUN 0 to {byte.MaxValue}");
            else if (!files.TryAdd((byte)lun, disks[i].File))
                result.AddError($"LUN {lun} of {disks[i].File} is that of {files[(byte)lun]} already");
            else
                disks[i] = disks[i] with { Lun = (byte)lun };
        }
        return disks;
    }

    private static FaultRule[] ParseFaults(ArgumentResult result) => TokenValues.Parse(result, FaultRuleText.Parse);
}
