using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;
using Slipway.Commands.Volumes;
using Slipway.Disks;
using Slipway.Iscsi.Chap;
using Slipway.Scsi;
using Slipway.Server.Iscsi;
using Slipway.Volumes;
using Slipway.Volumes.Layers;
using Slipway.Volumes.Store;

namespace Slipway.Commands.Targets;

/// <summary><c>slipway target FILE</c>: one file as an iSCSI disk, until interrupted.</summary>
internal static class TargetCommand
{
    private static readonly Argument<string> Disk = new("FILE|VOLUME") { Description = "A raw or qcow2 image; or a volume's name (no file has it)" };

    private static readonly Option<IPEndPoint[]> Portals = new("--portal")
    {
        Description = "ADDRESS[:PORT] to listen on; may be repeated",
        DefaultValueFactory = _ => [new IPEndPoint(IPAddress.Loopback, IscsiListener.DefaultPort)],
        CustomParser = ParsePortals,
    };

    private static readonly Option<string> Name = new("--iqn") { Description = "The target's name; made from the file's name otherwise" };
    private static readonly Option<string> User = new("--chap-user") { Description = "The name that an initiator must prove" };
    private static readonly Option<FileInfo> Secret = new("--chap-secret-file") { Description = "A file with that name's secret, 12 to 255 bytes" };
    private static readonly Option<string> ReverseUser = new("--reverse-user") { Description = "The name that the target proves to the initiator" };
    private static readonly Option<FileInfo> ReverseSecret = new("--reverse-secret-file") { Description = "A file with that name's secret, another one" };
    private static readonly Option<string> Trace = new("--trace") { Description = "Append every call to the disk to this file: when, what, where, how long, in which file" };

    private static readonly Option<FaultRule[]> Faults = new("--fault")
    {
        Description = "Let the disk fail by rule, like 'error on=write after=100' or 'delay=50ms chance=0.1'; may be repeated",
        DefaultValueFactory = _ => [],
        CustomParser = ParseFaults,
    };

    private static readonly Option<bool> ReadOnly = new("--read-only") { Description = "Refuse writes" };
    private static readonly Option<int> BlockSize = new("--block-size") { Description = "512 or 4096 bytes", DefaultValueFactory = _ => 512 };

    public static Command Create()
    {
        BlockSize.AcceptOnlyFromAmong("512", "4096");
        var command = new Command("target", "Serve one file as an iSCSI disk.")
        {
            Disk, Portals, Name, User, Secret, ReverseUser, ReverseSecret, ReadOnly, BlockSize, Trace, Faults, StoreCommand.State,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        try
        {
            var chap = Policy(parsed);
            var file = parsed.GetRequiredValue(Disk);
            var name = parsed.GetValue(Name) ?? NameOf(file);
            var volume = await OpenAsync(file, parsed, stop);
            var live = volume as LiveVolume;
            // Disposes of what is below it.
            await using var device = LayeredDisk.Create(volume, parsed.GetRequiredValue(Faults), parsed.GetValue(Trace), Random.Shared, TimeProvider.System);
            await ServeAsync(live?.Path ?? Path.GetFullPath(file), device, live, name, chap, parsed, stop);
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SocketException or ArgumentException or DiskFormatException or BlockDeviceException)
        {
            await Console.Error.WriteLineAsync($"slipway target: {e.Message}");
            return 1;
        }
    }

    private static async Task ServeAsync(string path, IBlockDevice device, LiveVolume? live, string name, ChapPolicy? chap, ParseResult parsed, CancellationToken stop)
    {
        var target = new TargetDevice(name);
        // The file's place names the unit: it keeps its identity when the target is started again.
        var unit = new DiskUnit(device, new UnitIdentity(path), parsed.GetValue(BlockSize));
        target.Attach(0, unit);
        if (live is not null)
            live.LengthChanged += unit.ReportCapacityChange;
        using var logs = LoggerFactory.Create(b => b.AddSimpleConsole(o => (o.SingleLine, o.TimestampFormat) = (true, "HH:mm:ss ")));
        var directory = new SingleTarget(name, target, chap);
        await using var listener = new IscsiListener(parsed.GetRequiredValue(Portals), directory, directory, TimeProvider.System, logs.CreateLogger("slipway"));
        listener.Start();
        foreach (var portal in listener.Endpoints)
        {
            Console.WriteLine($"iscsi://{portal}/{name}/0");
            if (chap is null && !IPAddress.IsLoopback(portal.Address))
                await Console.Error.WriteLineAsync($"warning: without --chap-user everybody who reaches {portal} can read and write this disk");
        }
        await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static async Task<IBlockDevice> OpenAsync(string disk, ParseResult parsed, CancellationToken stop)
    {
        if (File.Exists(disk) || disk.Contains('/', StringComparison.Ordinal))
            return await Volume.OpenAsync(disk, parsed.GetValue(ReadOnly), stop);
        var store = new VolumeStore(parsed.GetRequiredValue(StoreCommand.State).FullName);
        return parsed.GetValue(ReadOnly) ? await store.OpenToCopyAsync(disk, stop) : await store.ServeAsync(disk, stop);
    }

    private static ChapPolicy? Policy(ParseResult parsed)
    {
        var initiator = Account(parsed, User, Secret);
        var target = Account(parsed, ReverseUser, ReverseSecret);
        if (initiator is null && target is not null)
            throw new ArgumentException("--reverse-user needs --chap-user: initiators ask for the target's proof only after their own");
        return initiator is null ? null : new ChapPolicy(initiator, target);
    }

    private static ChapAccount? Account(ParseResult parsed, Option<string> user, Option<FileInfo> secret)
    {
        var (name, file) = (parsed.GetValue(user), parsed.GetValue(secret));
        if (name is null && file is null)
            return null;
        if (name is null || file is null)
            throw new ArgumentException($"{user.Name} and {secret.Name} go together");
        // Editors end the last line; the line's end is no part of the secret.
        return new ChapAccount(name, File.ReadAllText(file.FullName).TrimEnd('\r', '\n'));
    }

    /// <summary>RFC 3722: lower case letters, digits, full stops, hyphens and colons.</summary>
    private static string NameOf(string file)
    {
        var name = new StringBuilder("iqn.2026-11.slipway:");
        foreach (var c in Path.GetFileNameWithoutExtension(file).ToLowerInvariant())
            name.Append(char.IsAsciiLetterOrDigit(c) || c is '.' or '-' ? c : '-');
        return name.ToString();
    }

    private static FaultRule[] ParseFaults(ArgumentResult result)
    {
        var rules = new List<FaultRule>();
        foreach (var token in result.Tokens)
        {
            try
            {
                rules.Add(FaultRuleText.Parse(token.Value));
            }
            catch (FormatException e)
            {
                result.AddError($"--fault '{token.Value}': {e.Message}");
            }
        }
        return [.. rules];
    }

    private static IPEndPoint[] ParsePortals(ArgumentResult result)
    {
        var portals = new List<IPEndPoint>();
        foreach (var token in result.Tokens)
        {
            if (IPAddress.TryParse(token.Value, out var address))
                portals.Add(new(address, IscsiListener.DefaultPort));
            else if (IPEndPoint.TryParse(token.Value, out var portal))
                portals.Add(portal);
            else
                result.AddError($"{token.Value} is not ADDRESS or ADDRESS:PORT");
        }
        return [.. portals];
    }
}
