using System.Runtime.CompilerServices;
using Slipway.Disks;
using Slipway.Scsi.Commands;

namespace Slipway.Scsi;

/// <summary>
/// A logical unit (SAM-5 §4.5.19): it takes a command through the checks that all commands share, in the order of
/// SAM-5 §5.14 and SPC-4 §5.12 (unit attention, operation code, reserved bits, reservations, readiness, write
/// protection), and then runs the command's own handler.
/// </summary>
/// <remarks>Thread-safe: commands of several nexuses run at the same time.</remarks>
public abstract class LogicalUnit
{
    private readonly Lock _lock = new();
    private readonly List<UnitNexus> _open = [];

    private protected LogicalUnit(UnitIdentity identity)
    {
        ArgumentNullException.ThrowIfNull(identity);
        Identity = identity;
    }

    public UnitIdentity Identity { get; }

    internal abstract CommandTable Commands { get; }

    /// <summary>D_SENSE of the Control mode page (SPC-4 §7.5.8): sense in the descriptor format.</summary>
    internal virtual bool UsesDescriptorSense => false;

    /// <summary>What REQUEST SENSE reports where no unit attention waits.</summary>
    internal virtual SenseCode PendingSense => SenseCode.NoSense;

    /// <summary>How far what <see cref="PendingSense"/> names has come.</summary>
    internal virtual SenseKeySpecific PendingProgress => default;

    /// <summary>Something goes on here that outlives the nexus that began it.</summary>
    internal virtual bool IsBusy => false;

    internal UnitNexus[] OpenNexuses
    {
        get
        {
            lock (_lock)
                return [.. _open];
        }
    }

    internal UnitNexus Open(PortNexus port)
    {
        var nexus = new UnitNexus(this, port);
        lock (_lock)
            _open.Add(nexus);
        return nexus;
    }

    /// <summary>I_T nexus loss (SAM-5 §6.3.4).</summary>
    internal void Close(UnitNexus nexus)
    {
        bool wasLast;
        lock (_lock)
        {
            _open.Remove(nexus);
            wasLast = _open.Count == 0;
        }

        OnClosed(nexus, wasLast);
    }

    /// <summary>
    /// A logical unit reset (SAM-5 §6.3.3): every nexus learns its cause, also the one that asked for it, which cannot know
    /// otherwise that nobody else reset the unit as well. Where it is alone here it has learnt all from the function's
    /// response, and its next command is not held up: targets differ (tgt never tells it, LIO always), and iscsi-test-cu
    /// wants to be told of a reset with several paths, and calls it a failure with one.
    /// </summary>
    internal void Reset(UnitNexus by, SenseCode cause)
    {
        OnReset();
        var nexuses = OpenNexuses;
        foreach (var nexus in nexuses)
        {
            nexus.ClearAttentions();
            nexus.ForgetCopies();
            if (nexus != by || nexuses.Length > 1)
                nexus.Establish(cause);
        }
    }

    internal void EstablishForAll(SenseCode attention)
    {
        foreach (var nexus in OpenNexuses)
            nexus.Establish(attention);
    }

    internal void EstablishForOthers(UnitNexus cause, SenseCode attention)
    {
        foreach (var nexus in OpenNexuses)
        {
            if (nexus != cause)
                nexus.Establish(attention);
        }
    }

    internal ValueTask ExecuteAsync(UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        var row = Commands.Find(task.Cdb, out var unknown);
        if (nexus.HasAttention && row?.Has(CommandTraits.PassesUnitAttention) != true && nexus.TryTakeAttention(out var attention))
            return Refuse(task, attention);
        if (row is null)
        {
            var serviceAction = unknown == SenseCode.InvalidFieldInCdb ? SenseKeySpecific.InCdb(1, 4) : default;
            return Refuses(row) is { } general ? Refuse(task, general) : Refuse(task, unknown, serviceAction);
        }

        if (row.HasReservedBit(task.Cdb, out var position, out var bit))
            return Refuse(task, SenseCode.InvalidFieldInCdb, SenseKeySpecific.InCdb(position, bit));
        if (Conflicts(nexus, row, task))
        {
            task.Status = ScsiStatus.ReservationConflict;
            return default;
        }

        if (Refuses(row) is { } refusal)
            return Refuse(task, refusal, refusal.Key == SenseKey.NotReady ? PendingProgress : default);
        task.TakesData = row.Has(CommandTraits.TakesData);
        return RunAsync(row, nexus, task, cancellation);
    }

    /// <summary>Ends a command with CHECK CONDITION.</summary>
    internal ValueTask Refuse(
        ScsiTask task, SenseCode code, SenseKeySpecific specific = default, ulong? information = null)
    {
        task.CheckCondition(code, UsesDescriptorSense, information, specific);
        return default;
    }

    /// <summary><see cref="Refuse"/> for a check within a command; always false.</summary>
    internal bool Deny(ScsiTask task, SenseCode code, SenseKeySpecific specific = default)
    {
        task.CheckCondition(code, UsesDescriptorSense, specific: specific);
        return false;
    }

    /// <summary>INVALID FIELD IN CDB, with the field's first byte and, for a field within a byte, its highest bit.</summary>
    internal ValueTask RefuseField(ScsiTask task, int position, int? bit = null) =>
        Refuse(task, SenseCode.InvalidFieldInCdb, SenseKeySpecific.InCdb(position, bit));

    /// <summary>INVALID FIELD IN PARAMETER LIST.</summary>
    internal ValueTask RefuseParameter(ScsiTask task, int position, int? bit = null) =>
        Refuse(task, SenseCode.InvalidFieldInParameterList, SenseKeySpecific.InParameterList(position, bit));

    /// <summary><see cref="RefuseField"/> for a check within a command; always false.</summary>
    internal bool DenyField(ScsiTask task, int position, int? bit = null) =>
        Deny(task, SenseCode.InvalidFieldInCdb, SenseKeySpecific.InCdb(position, bit));

    /// <summary><see cref="RefuseParameter"/> for a check within a command; always false.</summary>
    internal bool DenyParameter(ScsiTask task, int position) =>
        Deny(task, SenseCode.InvalidFieldInParameterList, SenseKeySpecific.InParameterList(position));

    /// <summary>A refusal that needs no look at the command's fields; <paramref name="row"/> is null for an unknown command.</summary>
    private protected virtual SenseCode? Refuses(CommandRow? row) => null;

    private protected virtual bool Conflicts(UnitNexus nexus, CommandRow row, ScsiTask task) => false;

    private protected virtual void OnClosed(UnitNexus nexus, bool wasLast)
    {
    }

    private protected virtual void OnReset()
    {
    }

    // The synchronous half: a command that completes at once costs no state machine.
    private ValueTask RunAsync(CommandRow row, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        ValueTask pending;
        try
        {
            pending = row.Execute(this, nexus, task, cancellation);
            if (pending.IsCompleted)
            {
                pending.GetAwaiter().GetResult();
                return default;
            }
        }
        catch (BlockDeviceException refusal)
        {
            return Refuse(task, MediumSense.For(refusal, row.Has(CommandTraits.Writes | CommandTraits.Flushes)));
        }
        catch (ChangeRefusedException refusal)
        {
            return TellOvertaken(task, refusal);
        }
        catch (OperationCanceledException) when (task.IsAbandoned || cancellation.IsCancellationRequested)
        {
            return Abort(task);
        }

        return FinishAsync(pending, row, task, cancellation);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask FinishAsync(ValueTask pending, CommandRow row, ScsiTask task, CancellationToken cancellation)
    {
        try
        {
            await pending;
        }
        catch (BlockDeviceException refusal)
        {
            await Refuse(task, MediumSense.For(refusal, row.Has(CommandTraits.Writes | CommandTraits.Flushes)));
        }
        catch (ChangeRefusedException refusal)
        {
            await TellOvertaken(task, refusal);
        }
        catch (OperationCanceledException) when (task.IsAbandoned || cancellation.IsCancellationRequested)
        {
            await Abort(task);
        }
    }

    private ValueTask TellOvertaken(ScsiTask task, ChangeRefusedException refusal)
    {
        if (refusal.Sense is { } sense)
            return Refuse(task, sense);
        task.Status = ScsiStatus.ReservationConflict;
        task.TransferLength = 0;
        return default;
    }

    // SAM-5 §5.6: the transport aborted the task and decides whether the initiator hears of it.
    private static ValueTask Abort(ScsiTask task)
    {
        task.Status = ScsiStatus.TaskAborted;
        task.DataIn = default;
        task.TransferLength = 0;
        return default;
    }
}
