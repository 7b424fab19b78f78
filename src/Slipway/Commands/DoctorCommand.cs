using System.CommandLine;
using Microsoft.Extensions.Logging.Abstractions;
using Slipway.Commands.Fleet;
using Slipway.Server.Diagnosis;
using Slipway.Server.Site;
using Slipway.Server.Site.Yaml;

namespace Slipway.Commands;

/// <summary><c>slipway doctor</c>: what would keep a site from booting machines, and what to do.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var file = ServeCommand.Site();
        var full = new Option<bool>("--full") { Description = "Read every image whole, and compare it with its checksums" };
        var json = new Option<bool>("--json") { Description = "Print the result as JSON" };
        var command = new Command("doctor", "Look for what would keep the site from booting machines, and say what to do. Changes nothing. Status 1: something fails.") { file, full, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            SiteConfiguration site;
            try
            {
                site = SiteFile.Load(parsed.GetRequiredValue(file).FullName);
            }
            catch (SiteConfigurationException e)
            {
                await CommandError.TellAsync(parsed.GetValue(json), e.Message);
                return 2;
            }
            if (!Console.IsErrorRedirected)
                await Console.Error.WriteLineAsync("looking; other DHCP servers are given five seconds to answer");
            var findings = await SiteDoctor.ExamineAsync(site, parsed.GetValue(full), TimeProvider.System, NullLogger.Instance, cancellation);
            Console.WriteLine(parsed.GetValue(json) ? RunningServer.Print(findings) : Text(findings));
            return findings.Any(f => f.Health == Health.Failure) ? 1 : 0;
        });
        return command;
    }

    private static string Text(IReadOnlyList<Finding> findings)
    {
        var width = findings.Max(f => f.Subject.Length);
        var lines = findings.SelectMany(f => f.Advice is { } advice ? (string[])[Line(f), $"{new string(' ', 8 + width)}→ {advice}"] : [Line(f)]);
        var (failures, warnings) = (findings.Count(f => f.Health == Health.Failure), findings.Count(f => f.Health == Health.Warning));
        return string.Join('\n', lines.Append($"{findings.Count - failures - warnings} ok, {Count(warnings, "warning")}, {Count(failures, "failure")}"));

        string Line(Finding f) => $"{Mark(f.Health),-4}  {f.Subject.PadRight(width)}  {f.Text}";
    }

    private static string Count(int number, string noun) => number == 1 ? $"1 {noun}" : $"{number} {noun}s";

    private static string Mark(Health health) => health switch
    {
        Health.Ok => "ok",
        Health.Warning => "warn",
        _ => "FAIL",
    };
}
