namespace Slipway.Scsi.Commands;

/// <summary>
/// Runs one command on a unit of the kind that knows it. It sets data and status in <paramref name="task"/>; what the
/// medium refuses it may throw or return as a fault.
/// </summary>
internal delegate ValueTask CommandHandler<in TUnit>(
    TUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    where TUnit : LogicalUnit;
