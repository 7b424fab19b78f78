using System.CommandLine;
using System.Text.Json;
using Slipway.Server.Site.Yaml;

namespace Slipway.Commands.Fleet;

/// <summary><c>slipway schema</c>: which keys the site's file has.</summary>
internal static class SchemaCommand
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static Command Create()
    {
        var tables = new Option<bool>("--markdown") { Description = "Print the manual's tables instead" };
        var command = new Command("schema", "Print the JSON schema of slipway.yaml, for editors that complete and check.") { tables };
        command.SetAction(parsed => Console.Out.WriteLine(parsed.GetValue(tables) ? SiteSchema.ToMarkdown().TrimEnd() : SiteSchema.ToJson().ToJsonString(Indented)));
        return command;
    }
}
