using System.CommandLine;
using Slipway.Commands.Volumes;
using Slipway.Server.Api;

namespace Slipway.Commands.Fleet;

/// <summary><c>slipway apply</c> and <c>slipway export</c>: the whole site of the running server as one file.</summary>
internal static class SiteCommands
{
    public static Command Export() => new Command("export", "Print the site that the running server serves, as one file: with the machines that were approved.") { StoreCommand.State }
        .Asks(async (server, _, cancellation) =>
        {
            var site = await server.GetAsync<SiteView>("site", cancellation);
            Console.Out.Write(site.Content);
        });

    public static Command Apply()
    {
        var file = new Option<FileInfo>("--file", "-f") { Description = "The site, as slipway export prints it", Required = true };
        var dry = new Option<bool>("--dry-run") { Description = "Show what would change, and change nothing" };
        var yes = Consent.Yes();
        var command = new Command("apply", "Make the running server serve another site, all of it or nothing: shows what changes, and asks. Paths in it are relative to the server's own file.")
        {
            file, dry, yes, StoreCommand.State, StoreCommand.Json,
        };
        command.Asks(async (server, parsed, cancellation) =>
        {
            var path = parsed.GetRequiredValue(file);
            if (!path.Exists)
                throw new ServerException($"there is no file {path.FullName}");
            var site = new SiteView(path.Name, await File.ReadAllTextAsync(path.FullName, cancellation));
            var plan = await server.PostAsync<SitePlanView>("site/plan", site, cancellation);
            var json = parsed.GetValue(StoreCommand.Json);
            if (json)
                Console.WriteLine(RunningServer.Print(plan));
            if (plan.Mistakes.Count > 0)
                throw new ServerException(string.Join('\n', [.. plan.Mistakes, "Nothing was changed."]));
            if (!json)
                Console.WriteLine(plan.Changes.Count == 0 ? "nothing changes" : string.Join('\n', plan.Changes));
            if (plan.NeedRestart.Count > 0)
                throw new ServerException($"a running server cannot change {string.Join(", ", plan.NeedRestart)}. Nothing was changed: edit its own file, and start it anew");
            if (plan.Changes.Count == 0 || parsed.GetValue(dry))
                return;
            if (json && !parsed.GetValue(yes))
                throw new ServerException("nothing was changed: with --json give --yes, or --dry-run");
            if (!parsed.GetValue(yes) && !Agreed())
                throw new ServerException("nothing was changed");
            var done = await server.PostAsync<SitePlanView>("site", site, cancellation);
            if (done.Mistakes.Count > 0)
                throw new ServerException(string.Join('\n', done.Mistakes));
            if (!json)
                Console.WriteLine("applied");
        });
        return command;
    }

    private static bool Agreed() => Consent.Ask("Apply?") ?? throw new ServerException("nothing was changed: give --yes where nobody can be asked");
}
