using Microsoft.Extensions.Logging;

namespace Slipway.Server.Disks;

/// <summary>
/// Gives back the volumes of machines that are off: a server that knows ten thousand machines holds the files of those
/// that run, and a volume that no machine uses can be rolled back, published or removed beside it.
/// </summary>
internal sealed partial class IdleDisks : IAsyncDisposable
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(30);

    private readonly MachineTargets _targets;
    private readonly ILogger _logger;
    private readonly PeriodicTimer _timer;
    private readonly Task _loop;

    public IdleDisks(MachineTargets targets, TimeProvider time, ILogger logger)
    {
        (_targets, _logger) = (targets, logger);
        _timer = new PeriodicTimer(Step, time);
        _loop = Task.Run(RunAsync);
    }

    public async ValueTask DisposeAsync()
    {
        _timer.Dispose();
        await _loop;
    }

    private async Task RunAsync()
    {
        while (await _timer.WaitForNextTickAsync())
        {
            foreach (var disk in _targets.All)
                await ReleaseAsync(disk);
        }
    }

    private async ValueTask ReleaseAsync(MachineDisk disk)
    {
        try
        {
            await disk.ReleaseIfIdleAsync();
        }
        catch (IOException e)
        {
            LogNotClosed(disk.Machine.Name, disk.Machine.Volume, e.Message);
        }
        catch (ObjectDisposedException)
        {
            // Its machine was removed meanwhile.
        }
    }

    [LoggerMessage(6101, LogLevel.Error, "the volume {Volume} of {Machine} was not closed cleanly: {Reason}")]
    private partial void LogNotClosed(string machine, string volume, string reason);
}
