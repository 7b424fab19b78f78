using System.Text.Json;
using System.Text.Json.Serialization;
using Spectre.Console;

namespace Slipway.Commands.Firmware;

/// <summary>What a firmware command wrote.</summary>
internal interface IFirmwareResult
{
    string Text();
}

/// <summary>One file, in words and for <c>--json</c>.</summary>
internal sealed record FirmwareResult(string File, long Length, string Description, string? Fingerprint = null) : IFirmwareResult
{
    public string Text() => $"{File} ({Length / 1024.0:N0} KiB) {Description}";
}

/// <summary>Several files, and what to do with them.</summary>
internal sealed record FirmwareFolder(IReadOnlyList<string> Files, string Then, IReadOnlyList<string> Commands) : IFirmwareResult
{
    public string Text() => string.Join('\n', [.. Files, "", Then, .. Commands.Select(c => "  " + c)]);
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true)]
[JsonSerializable(typeof(FirmwareResult))]
[JsonSerializable(typeof(FirmwareFolder))]
internal sealed partial class FirmwareJson : JsonSerializerContext;

/// <summary>What a firmware command will not do; the message is for the operator.</summary>
internal sealed class FirmwareException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Runs a firmware command, prints its result or refusal, and gives the exit status.</summary>
internal static class FirmwareOutput
{
    public static async Task<int> RunAsync<T>(bool json, Func<Task<T>> work)
        where T : IFirmwareResult
    {
        try
        {
            var result = json || Console.IsErrorRedirected ? await work() : await WithStatusAsync(work);
            Console.WriteLine(json ? JsonSerializer.Serialize(result, typeof(T), FirmwareJson.Default) : result.Text());
            return 0;
        }
        catch (FirmwareException refusal)
        {
            return await FailAsync(json, refusal.Message);
        }
        catch (IOException e)
        {
            return await FailAsync(json, e.Message);
        }
        catch (UnauthorizedAccessException e)
        {
            return await FailAsync(json, e.Message);
        }
    }

    /// <summary>Writes beside the target and renames, so that a command that is stopped leaves no half file.</summary>
    /// <param name="secret">It holds a key: only its owner may read it.</param>
    public static void Write(FileInfo target, Action<Stream> write, bool secret = false)
    {
        var partial = target.FullName + ".partial";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (secret && !OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            using (var stream = new FileStream(partial, options)) write(stream);
            System.IO.File.Move(partial, target.FullName, overwrite: true);
        }
        finally
        {
            System.IO.File.Delete(partial);
        }
    }

    private static Task<T> WithStatusAsync<T>(Func<Task<T>> work)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Status().StartAsync("working", _ => work());
    }

    private static async Task<int> FailAsync(bool json, string message)
    {
        await CommandError.TellAsync(json, message);
        return 1;
    }
}
