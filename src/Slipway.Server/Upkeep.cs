using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Slipway.Fleet.Boots;
using Slipway.Fleet.Machines;
using Slipway.Server.Dhcp;

namespace Slipway.Server;

/// <summary>What a server does from time to time: finds boots that stalled, saves what machines told of themselves, forgets old leases.</summary>
internal sealed partial class Upkeep : IAsyncDisposable
{
    private static readonly TimeSpan SightingsSaved = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LeaseHistoryKept = TimeSpan.FromDays(90);
    private static readonly TimeSpan LeaseHistoryCheck = TimeSpan.FromDays(1);
    private static readonly TimeSpan StallCheck = TimeSpan.FromSeconds(1);

    private readonly MachineSightings _sightings;
    private readonly SqliteLeaseStore _leases;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly ITimer[] _timers;

    public Upkeep(BootTimelines timelines, MachineSightings sightings, SqliteLeaseStore leases, TimeProvider clock, ILogger logger)
    {
        (_sightings, _leases, _clock, _logger) = (sightings, leases, clock, logger);
        _timers =
        [
            clock.CreateTimer(_ => timelines.MarkStalled(), null, StallCheck, StallCheck),
            clock.CreateTimer(_ => SaveSightings(), null, SightingsSaved, SightingsSaved),
            clock.CreateTimer(_ => ForgetLeases(), null, TimeSpan.Zero, LeaseHistoryCheck),
        ];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var timer in _timers)
            await timer.DisposeAsync();
        SaveSightings();
    }

    // They are worth no server: what a full disk kept out is written the next time.
    private void SaveSightings()
    {
        try
        {
            _sightings.Save();
        }
        catch (SqliteException e)
        {
            LogSightingsNotSaved(e.Message);
        }
    }

    private void ForgetLeases()
    {
        try
        {
            _leases.Forget(_clock.GetUtcNow() - LeaseHistoryKept);
        }
        catch (SqliteException e)
        {
            LogLeasesNotForgotten(e.Message);
        }
    }

    [LoggerMessage(1006, LogLevel.Warning, "what machines told of themselves cannot be saved: {Reason}")]
    private partial void LogSightingsNotSaved(string reason);

    [LoggerMessage(1008, LogLevel.Warning, "the history of leases cannot be shortened: {Reason}")]
    private partial void LogLeasesNotForgotten(string reason);
}
