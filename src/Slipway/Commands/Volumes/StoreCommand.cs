using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.Json;
using Slipway.Commands.Fleet;
using Slipway.Disks;
using Slipway.Fleet.Store;
using Slipway.Volumes.Store;

namespace Slipway.Commands.Volumes;

/// <summary>What the image and volume commands share: the state folder, <c>--json</c>, and refusals in words.</summary>
internal static class StoreCommand
{
    /// <summary>What shells expect of a program that SIGINT ended.</summary>
    private const int Interrupted = 130;

    private const string Importing = "import", Making = "create", Listing = "list";

    public static Option<DirectoryInfo> State { get; } = new("--state")
    {
        Description = "The site's state folder: its images and volumes, and its running server's socket",
        DefaultValueFactory = _ => new("/var/lib/slipway"),
        Recursive = true,
    };

    public static Option<bool> Json { get; } = new("--json") { Description = "Print the result as JSON", Recursive = true };

    public static Argument<string> Name(string name, string description) => new(name) { Description = description };

    public static Option<long?> Size(string name, string description) => new(name) { Description = description, CustomParser = result => ParseSize(result) };

    /// <summary>Bytes, or with K, M, G or T so many times 1024 of them.</summary>
    public static long ParseSize(ArgumentResult result)
    {
        var text = result.Tokens[0].Value.ToUpperInvariant();
        var unit = "KMGT".IndexOf(text[^1], StringComparison.Ordinal);
        if (long.TryParse(unit < 0 ? text : text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 && number <= long.MaxValue >> (10 * (unit + 1)))
            return number << (10 * (unit + 1));
        result.AddError($"'{result.Tokens[0].Value}' is not a size: bytes, or a number with K, M, G or T");
        return 0;
    }

    /// <summary>Sets a command's action: its result is printed as text or JSON; what the stores refuse ends with status 1.</summary>
    public static Command Runs<T>(this Command command, Func<VolumeStore, ParseResult, CancellationToken, Task<T>> work, Func<T, string> text)
    {
        command.SetAction(async (parsed, cancellation) =>
        {
            try
            {
                var state = parsed.GetRequiredValue(State).FullName;
                // Opening a store makes it, which only what puts something in should: the folder may be misspelt.
                if (!VolumeStore.Exists(state) && command.Name is not (Importing or Making))
                    return await NoStoreAsync(state, lists: command.Name == Listing, parsed.GetValue(Json));
                var result = await work(new(state), parsed, cancellation);
                var line = parsed.GetValue(Json) ? JsonSerializer.Serialize(result, typeof(T), StoreJson.Printed) : text(result);
                if (line.Length > 0) Console.WriteLine(line);
                else NoneThere(result);
                return 0;
            }
            catch (Exception e) when (e is VolumeStoreException or ServerException or FleetStoreException or DiskFormatException or BlockDeviceException or IOException or UnauthorizedAccessException)
            {
                await CommandError.TellAsync(parsed.GetValue(Json), e.Message + (e is UnauthorizedAccessException ? " Be the user that it belongs to, or root" : ""));
                // A download says what it keeps for the next try.
                return cancellation.IsCancellationRequested ? Interrupted : 1;
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                await CommandError.TellAsync(parsed.GetValue(Json), "interrupted");
                return Interrupted;
            }
        });
        return command;
    }

    private static async Task<int> NoStoreAsync(string state, bool lists, bool json)
    {
        if (lists && json) Console.WriteLine("[]");
        else await CommandError.TellAsync(json, $"{state} has no images and volumes yet: slipway image import and slipway volume create make the first; --state names another folder");
        return lists ? 0 : 1;
    }

    /// <summary>Somebody who asked for a list should not wonder whether it was made; for a program it is empty.</summary>
    public static void NoneThere<T>(T result)
    {
        if (result is System.Collections.ICollection { Count: 0 }) Console.Error.WriteLine("there are none");
    }

    public static string Bytes(long bytes) => bytes switch
    {
        >= 1L << 30 => $"{bytes / (double)(1L << 30):0.0} GiB",
        >= 1L << 20 => $"{bytes / (double)(1L << 20):0.0} MiB",
        _ => $"{bytes / 1024.0:0.0} KiB",
    };
}
