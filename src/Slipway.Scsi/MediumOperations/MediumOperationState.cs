using Slipway.Disks;
using Slipway.Scsi.Commands;

namespace Slipway.Scsi.MediumOperations;

/// <summary>What a unit answers on account of an operation on its medium.</summary>
/// <param name="InProgress">To every other command, while it runs.</param>
/// <param name="Failed">To the command itself, where it waits for the end.</param>
/// <param name="Afterwards">To what comes after a failure.</param>
internal sealed record MediumOperationSense(SenseCode InProgress, SenseCode Failed, SenseCode Afterwards)
{
    /// <summary>SBC-3 §4.11.2, §4.11.3.</summary>
    public static MediumOperationSense Sanitize { get; } = new(SenseCode.SanitizeInProgress, SenseCode.SanitizeCommandFailed, SenseCode.SanitizeCommandFailed);

    /// <summary>SBC-3 §4.10: only a format, or the like, makes the medium fit for use again.</summary>
    public static MediumOperationSense Format { get; } = new(SenseCode.FormatInProgress, SenseCode.FormatCommandFailed, SenseCode.MediumFormatCorrupted);
}

/// <summary>Whether a unit's medium is being sanitized or formatted, or failed to be.</summary>
internal sealed class MediumOperationState
{
    private readonly Lock _lock = new();
    private volatile Running? _running;
    private volatile MediumOperationSense? _failed;
    private bool _maySkip;
    private Task<SenseCode?>? _end;

    private sealed record Running(MediumOperation Operation, MediumOperationSense Sense, CancellationTokenSource Stopping);

    /// <summary>Null where the unit works as usual; otherwise what a command that needs the medium is refused with.</summary>
    public SenseCode? Refusal => _running?.Sense.InProgress ?? _failed?.Afterwards;

    public bool IsRunning => _running is not null;

    public SenseKeySpecific Progress => _running is { } running ? SenseKeySpecific.Progress(running.Operation.Progress) : default;

    /// <summary>What a command is refused with before anything else is looked at.</summary>
    public SenseCode? RefusalOf(CommandRow row)
    {
        if (row.Has(CommandTraits.PassesMediumOperation))
            return null;
        return _running is null && _failed == MediumOperationSense.Format && !row.Has(CommandTraits.NeedsMedium) ? null : Refusal;
    }

    /// <summary>Null where it may not begin, for <paramref name="refusal"/>; otherwise it ends with the operation, and what that failed with.</summary>
    /// <param name="allowsExit">AUSE: EXIT FAILURE MODE will do where the operation fails.</param>
    public Task<SenseCode?>? TryBegin(MediumOperationSense sense, Func<MediumOperation> begin, bool allowsExit, out SenseCode refusal)
    {
        lock (_lock)
        {
            refusal = _running?.Sense.InProgress ?? default;

            // SBC-3 §4.11.3: another SANITIZE ends its failure, and no format does.
            if (_running is null && _failed == MediumOperationSense.Sanitize && sense != MediumOperationSense.Sanitize)
                refusal = _failed.Afterwards;
            if (refusal != default)
                return null;
            _maySkip = allowsExit;
            _running = new Running(begin(), sense, new CancellationTokenSource());
            _running.Operation.Start(_running.Stopping.Token);
            return _end = EndAsync(_running);
        }
    }

    /// <summary>EXIT FAILURE MODE: null, or a refusal where only another operation, a successful one, ends the failure.</summary>
    public SenseCode? TryExitFailure()
    {
        lock (_lock)
        {
            if (_running is not null)
                return _running.Sense.InProgress;
            if (_failed != MediumOperationSense.Sanitize)
                return null;
            if (!_maySkip)
                return SenseCode.InvalidFieldInCdb;
            _failed = null;
            return null;
        }
    }

    /// <summary>The medium is to be another one: what runs ends, and of what was the former's nothing is left.</summary>
    public async ValueTask ForgetAsync()
    {
        Task? end;
        lock (_lock)
        {
            _running?.Stopping.Cancel();
            end = _end;
        }

        if (end is not null)
        {
            // What it failed of is its own command's matter, and of the former medium.
            await end.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        _failed = null;
    }

    private async Task<SenseCode?> EndAsync(Running running)
    {
        var failed = running.Sense;
        try
        {
            await running.Operation.Completion.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            failed = null;
        }
        catch (BlockDeviceException)
        {
            // The medium's refusal is reported by every command from now on, and by the one that waits for the end.
        }
        catch (OperationCanceledException)
        {
            // The medium is taken away, and with it what is known of it.
        }
        finally
        {
            lock (_lock)
            {
                (_failed, _running) = (failed, null);
                running.Stopping.Dispose();
            }
        }

        return failed?.Failed;
    }
}
