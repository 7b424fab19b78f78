using System.CommandLine;
using System.Runtime.InteropServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Slipway.Server;
using Slipway.Server.Site;
using Slipway.Server.Site.Yaml;

namespace Slipway.Commands;

/// <summary><c>slipway serve</c>: the whole server side of a site, until it is told to stop.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var file = Site();
        var json = new Option<bool>("--json") { Description = "Log in JSON, one object on each line" };
        var verbose = new Option<bool>("--verbose", "-v") { Description = "Log what is ignored, too" };
        var command = new Command("serve", "Serve a site: DHCP, TFTP, HTTPS and iSCSI on its networks.") { file, json, verbose };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var logs = Logs(parsed.GetValue(json), parsed.GetValue(verbose));
            try
            {
                await using var server = await SlipwayServer.StartAsync(SiteFile.Load(parsed.GetRequiredValue(file).FullName), logs, cancellation);
                await StoppedAsync(cancellation);
                return 0;
            }
            catch (SiteConfigurationException e)
            {
                await CommandError.TellAsync(parsed.GetValue(json), e.Message);
                return 2;
            }
        });
        return command;
    }

    /// <summary>Which file describes the site.</summary>
    public static Option<FileInfo> Site() => new("--config", "-c")
    {
        Description = "The site: networks and machines",
        DefaultValueFactory = _ => new("slipway.yaml"),
    };

    private static ILoggerFactory Logs(bool json, bool verbose) => LoggerFactory.Create(logging =>
    {
        logging.SetMinimumLevel(verbose ? LogLevel.Debug : LogLevel.Information);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        // A port that is taken is told by SlipwayServer, in one line.
        logging.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
        // Whoever reads the log slowly must not slow down what it tells of; what was dropped is told.
        logging.Services.Configure<ConsoleLoggerOptions>(console => console.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite);
        if (json)
            logging.AddJsonConsole(console => console.UseUtcTimestamp = true);
        else
            logging.AddSimpleConsole(console => (console.SingleLine, console.TimestampFormat) = (true, "HH:mm:ss.fff "));
    });

    private static async Task StoppedAsync(CancellationToken cancellation)
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            stopped.TrySetResult();
        });
        using var cancelled = cancellation.Register(() => stopped.TrySetResult());
        await stopped.Task;
    }
}
