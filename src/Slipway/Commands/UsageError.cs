using System.CommandLine;
using System.CommandLine.Parsing;
using Slipway.Server.Site;

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
            ? [$"there is no command '{parsed.UnmatchedTokens[0]}': there are {string.Join(", ", Commands(command))}{NearestWord.Asked(parsed.UnmatchedTokens[0], Commands(command))}"]
            : parsed.Errors.Select(e => Line(e.Message).TrimEnd('.') + Hint(parsed, e));
        foreach (var error in errors.Distinct())
            await Console.Error.WriteLineAsync($"{words}: {error}");
        await Console.Error.WriteLineAsync($"`{words} --help` shows what there is");
        return Status;
    }

    // System.CommandLine puts each of several alternatives on a line of its own.
    private static string Line(string message) => string.Join(' ', message.Split(default(char[]), StringSplitOptions.RemoveEmptyEntries)).Replace("' '", "', '", StringComparison.Ordinal);

    private static string Hint(ParseResult parsed, ParseError error)
    {
        if (parsed.UnmatchedTokens.FirstOrDefault(t => t.StartsWith('-') && error.Message.Contains($"'{t}'", StringComparison.Ordinal)) is not { } word)
            return "";
        var options = Ancestors(parsed.CommandResult).SelectMany(c => c.Command.Options.Where(o => c == parsed.CommandResult || o.Recursive));
        return NearestWord.Asked(word, options.SelectMany(o => o.Aliases.Prepend(o.Name)));
    }

    private static IEnumerable<string> Commands(Command command) => command.Subcommands.Select(c => c.Name);

    private static IEnumerable<CommandResult> Ancestors(CommandResult result)
    {
        for (var at = result; at is not null; at = at.Parent as CommandResult)
            yield return at;
    }
}
