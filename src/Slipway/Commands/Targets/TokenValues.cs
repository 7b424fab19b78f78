using System.CommandLine.Parsing;

namespace Slipway.Commands.Targets;

/// <summary>The values of an option that may be repeated.</summary>
internal static class TokenValues
{
    /// <summary>Each value on its own: the user reads of every wrong one.</summary>
    public static T[] Parse<T>(ArgumentResult result, Func<string, T> parse)
    {
        var values = new List<T>();
        foreach (var token in result.Tokens)
        {
            try
            {
                values.Add(parse(token.Value));
            }
            catch (FormatException e)
            {
                result.AddError($"'{token.Value}': {e.Message}");
            }
        }
        return [.. values];
    }
}
