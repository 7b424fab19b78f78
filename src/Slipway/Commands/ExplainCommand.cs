using System.CommandLine;
using System.Reflection;

namespace Slipway.Commands;

/// <summary><c>slipway explain</c>: the pages of <c>docs/explain</c>, for errors of which one sentence cannot say enough. They are compiled in.</summary>
internal static class ExplainCommand
{
    private const string Folder = "explain/";

    public static Command Create()
    {
        var code = new Argument<string?>("CODE") { Description = "As a message has it, like SLP1003 or 1003; all of them where it is left out", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("explain", "Explain an error by its code: what causes it, how to see which, and what to do.") { code };
        command.SetAction(async (parsed, cancellation) =>
        {
            var pages = Pages();
            if (parsed.GetValue(code) is not { } asked)
            {
                foreach (var page in pages)
                    Console.WriteLine((await ReadAsync(page, cancellation)).Split('\n', 2)[0].TrimStart('#', ' '));
                return 0;
            }
            if (pages.FirstOrDefault(p => p.EndsWith(asked, StringComparison.OrdinalIgnoreCase) && asked.Length >= 4) is not { } found)
            {
                await Console.Error.WriteLineAsync($"slipway: there is no page {asked}: `slipway explain` shows what there is");
                return 1;
            }
            Console.Write(await ReadAsync(found, cancellation));
            return 0;
        });
        return command;
    }

    private static IReadOnlyList<string> Pages() =>
        [.. Assembly.GetExecutingAssembly().GetManifestResourceNames().Where(n => n.StartsWith(Folder, StringComparison.Ordinal)).Select(n => n[Folder.Length..]).Order(StringComparer.Ordinal)];

    private static async Task<string> ReadAsync(string page, CancellationToken cancellation)
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(Folder + page)!);
        return await reader.ReadToEndAsync(cancellation);
    }
}
