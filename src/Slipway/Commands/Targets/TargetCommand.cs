using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;
using Slipway.Disks;
using Slipway.Iscsi.Chap;
using Slipway.Scsi;
using Slipway.Server.Iscsi;
using Slipway.Volumes;

namespace Slipway.Commands.Targets;

/// <summary><c>slipway target FILE</c>: one file as an iSCSI disk, until interrupted.</summary>
internal static class TargetCommand
{
    private static readonly Argument<FileInfo> Disk = new("FILE") { Description = "A raw or qcow2 image" };

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
    private static readonly Option<bool> ReadOnly = new("--read-only") { Description = "Refuse writes" };
    private static readonly Option<int> BlockSize = new("--block-size") { Description = "512 or 4096 bytes", DefaultValueFactory = _ => 512 };

    public static Command Create()
    {
        BlockSize.AcceptOnlyFromAmong("512", "4096");
        var command = new Command("target", "Serve one file as an iSCSI disk.") { Disk, Portals, Name, User, Secret, ReverseUser, ReverseSecret, ReadOnly, BlockSize };
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
            var device = await Volume.OpenAsync(file.FullName, parsed.GetValue(ReadOnly), stop);
            await using (device)
                await ServeAsync(file, device, name, chap, parsed, stop);
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SocketException or ArgumentException or DiskFormatException or BlockDeviceException)
        {
            await Console.Error.WriteLineAsync($"slipway target: {e.Message}");
            return 1;
        }
    }

    private static async Task ServeAsync(FileInfo file, IBlockDevice device, string name, ChapPolicy? chap, ParseResult parsed, CancellationToken stop)
    {
        var target = new TargetDevice(name);
        // The file's place names the unit: it keeps its identity when the target is started again.
        target.Attach(0, new DiskUnit(device, new UnitIdentity(file.FullName), parsed.GetValue(BlockSize)));
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
    private static string NameOf(FileInfo file)
    {
        var name = new StringBuilder("iqn.2026-11.slipway:");
        foreach (var c in Path.GetFileNameWithoutExtension(file.Name).ToLowerInvariant())
            name.Append(char.IsAsciiLetterOrDigit(c) || c is '.' or '-' ? c : '-');
        return name.ToString();
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
