using System.Numerics;
using Slipway.Disks;
using Slipway.Scsi.Commands;
using Slipway.Scsi.Commands.Medium;
using Slipway.Scsi.Commands.Mode;

namespace Slipway.Scsi;

/// <summary>
/// A unit whose medium is an <see cref="IBlockDevice"/>, seen as blocks of one length: what disks and CD-ROM drives have
/// in common. The device stays the caller's to dispose.
/// </summary>
public abstract class BlockUnit : LogicalUnit
{
    private readonly int _blockShift;
    private volatile bool _stopped;

    private protected BlockUnit(IBlockDevice device, UnitIdentity identity, int blockSize)
        : base(identity)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (device.Length < blockSize)
            throw new ArgumentException($"A disk of {device.Length} bytes does not hold a block of {blockSize}.", nameof(device));
        Device = device;
        _blockShift = BitOperations.Log2((uint)blockSize);
        Limits = BlockLimits.For(blockSize);
    }

    public IBlockDevice Device { get; }

    public int BlockSize => 1 << _blockShift;

    /// <summary>How many blocks the unit has now.</summary>
    public ulong Blocks => (ulong)(Device.Length >> _blockShift);

    internal override bool UsesDescriptorSense => ModePages.DescriptorSense;

    internal override SenseCode PendingSense => NotReady ?? SenseCode.NoSense;

    internal BlockLimits Limits { get; }

    internal abstract ModePages ModePages { get; }

    /// <summary>Null where the medium cannot be removed.</summary>
    internal abstract RemovableMedium? Medium { get; }

    /// <summary>SPC-4 §6.6.2, PERIPHERAL DEVICE TYPE.</summary>
    internal abstract byte DeviceType { get; }

    /// <summary>SPC-4 §6.6.2: the standards that INQUIRY claims, no version of any.</summary>
    internal abstract ReadOnlySpan<ushort> Standards { get; }

    /// <summary>The VPD pages that the unit has, ascending as SPC-4 §7.8.16 demands of page 00h.</summary>
    internal abstract ReadOnlySpan<byte> VitalProductPages { get; }

    /// <summary>The DEVICE-SPECIFIC PARAMETER of MODE SENSE; null where the type has no block descriptors either (MMC-6 §7.2).</summary>
    internal virtual byte? DeviceSpecificParameter => null;

    /// <summary>START STOP UNIT: a stopped unit answers NOT READY to what needs the medium.</summary>
    internal bool Stopped
    {
        get => _stopped;
        set => _stopped = value;
    }

    private protected SenseCode? NotReady => Medium is { IsEjected: true }
        ? MediumNotPresent
        : _stopped ? SenseCode.NotReadyInitializingCommandRequired : null;

    internal virtual SenseCode MediumNotPresent => SenseCode.MediumNotPresent;

    internal long ToBytes(ulong blocks) => (long)blocks << _blockShift;

    /// <summary>Reads blocks that the unit holds.</summary>
    internal virtual ValueTask ReadAsync(BlockRange range, Memory<byte> destination, CancellationToken cancellation) =>
        Device.ReadAsync(ToBytes(range.Lba), destination, cancellation);

    internal ulong ToBlocks(long bytes) => (ulong)(bytes >> _blockShift);

    /// <summary>SBC-3 §5: the range must end where the medium does, or before.</summary>
    internal bool Holds(BlockRange range)
    {
        var blocks = Blocks;
        return range.Lba <= blocks && range.Blocks <= blocks - range.Lba;
    }

    /// <summary>
    /// Whether a nexus may stop the unit, eject its medium or keep it in: not where another holds a persistent reservation (SBC-3 table 13).
    /// </summary>
    internal virtual bool MayControl(UnitNexus nexus) => true;

    /// <summary>Brings mode pages that show a state of the unit up to date.</summary>
    internal virtual void UpdateModePages()
    {
    }

    private protected override SenseCode? Refuses(CommandRow? row) =>
        row?.Has(CommandTraits.NeedsMedium) == true ? NotReady : null;

    // A machine that stopped its disk at shutdown must find it running at its next boot: firmware sends no START.
    private protected override void OnClosed(UnitNexus nexus, bool wasLast)
    {
        Medium?.Allow(nexus);
        if (wasLast)
            Restart();
    }

    private protected override void OnReset()
    {
        Restart();
        ModePages.Reset();
    }

    private void Restart()
    {
        _stopped = false;
        Medium?.Reset();
    }
}
