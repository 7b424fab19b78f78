using Microsoft.Extensions.Logging;
using Slipway.Fleet.Boots;

namespace Slipway.Server.Timeline;

/// <summary>Writes every event of every boot to the log.</summary>
internal sealed partial class BootEventLog : IDisposable
{
    private readonly BootTimelines _timelines;
    private readonly ILogger _logger;

    public BootEventLog(BootTimelines timelines, ILogger logger)
    {
        (_timelines, _logger) = (timelines, logger);
        _timelines.Recorded += Log;
    }

    public void Dispose() => _timelines.Recorded -= Log;

    private void Log(BootEvent e)
    {
        var (stage, seconds) = (e.Stage.Name(), e.Elapsed.TotalSeconds);
        switch (e.Kind)
        {
            case BootEventKind.Stalled:
                LogStalled(e.Machine, seconds, stage, e.Text);
                break;
            case BootEventKind.Refused:
                LogRefused(e.Machine, seconds, stage, e.Text);
                break;
            default:
                LogEvent(e.Machine, seconds, stage, e.Text);
                break;
        }
    }

    [LoggerMessage(1001, LogLevel.Information, "boot {Machine} +{Seconds:0.00} s {Stage}: {Text}")]
    private partial void LogEvent(string machine, double seconds, string stage, string text);

    [LoggerMessage(1004, LogLevel.Warning, "boot {Machine} +{Seconds:0.00} s {Stage}: REFUSED: {Text}")]
    private partial void LogRefused(string machine, double seconds, string stage, string text);

    [LoggerMessage(1005, LogLevel.Warning, "boot {Machine} +{Seconds:0.00} s {Stage}: STALLED: {Text}")]
    private partial void LogStalled(string machine, double seconds, string stage, string text);
}
