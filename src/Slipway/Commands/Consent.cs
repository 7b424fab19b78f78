using System.CommandLine;

namespace Slipway.Commands;

/// <summary>What is asked before something is changed that cannot be taken back.</summary>
internal static class Consent
{
    public static Option<bool> Yes() => new("--yes", "-y") { Description = "Do not ask" };

    /// <summary>Whether whoever sits there agrees; null where nobody can be asked.</summary>
    public static bool? Ask(string question)
    {
        if (Console.IsInputRedirected || Console.IsErrorRedirected)
            return null;
        Console.Error.Write($"{question} [y/N] ");
        return Console.ReadLine()?.Trim() is "y" or "Y" or "yes";
    }
}
