using System.CommandLine;
using System.CommandLine.Parsing;

namespace Slipway.Commands;

/// <summary>A command line that is not understood: what is wrong, and where help is. The help itself would push that off the screen.</summary>
internal static class UsageError
{
    /// <summary>As for a site's file that is wrong: nothing was tried.</summary>
    public const int Status = 2;

    public static async Task<int> TellAsync(ParseResult parsed)
    {
        var result = parsed.CommandResult;
        var command = result.Command;
        var words = string.Join(' ', Ancestors(result).Reverse().Select(c => c.Command.Name));
        if (command.Subcommands.Count > 0 && parsed.UnmatchedTokens is [])
        {
            // Who names a group only wants to know what is in it.
            await command.Parse(["--help"]).InvokeAsync();
            return Status;
        }
        var errors = command.Subcommands.Count > 0
            ? [$"there is no command '{parsed.UnmatchedTokens[0]}': there are {string.Join(", ", command.Subcommands.Select(c => c.Name))}"]
            : parsed.Errors.Select(e => e.Message);
        foreach (var error in errors.Distinct())
            await Console.Error.WriteLineAsync($"{words}: {error}");
        await Console.Error.WriteLineAsync($"`{words} --help` shows what there is");
        return Status;
    }

    private static IEnumerable<CommandResult> Ancestors(CommandResult result)
    {
        for (var at = result; at is not null; at = at.Parent as CommandResult)
            yield return at;
    }
}
