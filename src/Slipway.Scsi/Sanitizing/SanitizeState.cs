using Slipway.Disks;

namespace Slipway.Scsi.Sanitizing;

/// <summary>Whether a unit is being sanitized, or failed to be (SBC-3 §4.11.2, §4.11.3).</summary>
internal sealed class SanitizeState
{
    private readonly Lock _lock = new();
    private volatile SanitizeOperation? _running;
    private volatile bool _hasFailed;
    private bool _maySkip;

    /// <summary>Null where the unit works as usual; otherwise what a command that needs the medium is refused with.</summary>
    public SenseCode? Refusal => _running is not null
        ? SenseCode.SanitizeInProgress
        : _hasFailed ? SenseCode.SanitizeCommandFailed : null;

    public SenseKeySpecific Progress => _running is { } running ? SenseKeySpecific.Progress(running.Progress) : default;

    /// <summary>Null where another operation runs.</summary>
    /// <param name="allowsExit">AUSE: EXIT FAILURE MODE will do where the operation fails.</param>
    public Task? TryBegin(Func<SanitizeOperation> begin, bool allowsExit)
    {
        lock (_lock)
        {
            if (_running is not null)
                return null;
            _maySkip = allowsExit;
            _running = begin();
            _running.Start();
            return EndAsync(_running);
        }
    }

    /// <summary>EXIT FAILURE MODE: null, or a refusal where only another operation, a successful one, ends the failure.</summary>
    public SenseCode? TryExitFailure()
    {
        lock (_lock)
        {
            if (_running is not null)
                return SenseCode.SanitizeInProgress;
            if (_hasFailed && !_maySkip)
                return SenseCode.InvalidFieldInCdb;
            _hasFailed = false;
            return null;
        }
    }

    private async Task EndAsync(SanitizeOperation operation)
    {
        var failed = true;
        try
        {
            await operation.Completion.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            failed = false;
        }
        catch (BlockDeviceException)
        {
            // The medium's refusal is reported by every command from now on, and by the one that waits for the end.
        }
        finally
        {
            _hasFailed = failed;
            _running = null;
        }
    }
}
