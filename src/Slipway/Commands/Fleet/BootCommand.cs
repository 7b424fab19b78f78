using System.CommandLine;
using Slipway.Commands.Volumes;
using Slipway.Server.Api;

namespace Slipway.Commands.Fleet;

/// <summary><c>slipway boot</c>: the timelines.</summary>
internal static class BootCommand
{
    public static Command Create() => new("boot", "What machines do on their way up.")
    {
        StoreCommand.State,
        StoreCommand.Json,
        new Command("list", "List the latest boot of each machine.")
            .Asks((server, _, cancellation) => server.GetAsync<List<BootView>>("boots", cancellation), List),
        Show(),
        Follow(),
    };

    private static Command Show()
    {
        var machine = new Argument<string>("MACHINE") { Description = "Its name or its MAC address" };
        return new Command("show", "Show the latest boot of one machine, event by event.") { machine }
            .Asks((server, parsed, cancellation) => server.GetAsync<BootView>($"boots/{Uri.EscapeDataString(parsed.GetRequiredValue(machine))}", cancellation), Details);
    }

    private static Command Follow()
    {
        var machine = new Argument<string?>("MACHINE") { Description = "One machine; all where it is left out", Arity = ArgumentArity.ZeroOrOne };
        return new Command("follow", "Print events as they come, until interrupted; of one MACHINE, what there is of its boot first. With --json one object on each line.") { machine }.Asks(async (server, parsed, cancellation) =>
        {
            var path = "boots/events" + (parsed.GetValue(machine) is { } one ? $"?machine={Uri.EscapeDataString(one)}" : "");
            var boots = new Dictionary<string, string>();
            await foreach (var e in server.FollowAsync<BootEventView>(path, cancellation))
            {
                if (parsed.GetValue(StoreCommand.Json))
                {
                    Console.WriteLine(RunningServer.PrintLine(e));
                    continue;
                }
                if (boots.GetValueOrDefault(e.Mac) != e.Boot)
                    Console.WriteLine($"{e.Machine,-17} {BootLines.BeginningOf(e)}");
                boots[e.Mac] = e.Boot;
                Console.WriteLine($"{e.Machine,-17} {BootLines.Of(e)}");
            }
        });
    }

    private static string List(List<BootView> boots) => boots.Count == 0 ? "" : TextTable.Of(
        ["MACHINE", "STARTED", "STAGE", "OUTCOME", "PROBLEM"],
        boots.Select(b => (IReadOnlyList<string?>)[b.Machine, BootLines.LocalTime(b.Started), b.Stage, b.Outcome, b.Problem]));

    private static string Details(BootView boot) => string.Join('\n', boot.Events!.Select(BootLines.Of).Prepend(BootLines.HeadOf(boot)));
}
