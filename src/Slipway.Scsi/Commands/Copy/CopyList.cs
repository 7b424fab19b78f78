using System.Buffers.Binary;
using Slipway.Scsi.Commands.Medium;

namespace Slipway.Scsi.Commands.Copy;

/// <summary>One block to block segment, checked: from where, to where, how many bytes.</summary>
/// <param name="SourceTarget">The place of the source's CSCD descriptor, from 0.</param>
/// <param name="DestinationTarget">The place of the destination's.</param>
internal sealed record CopySegment(
    DiskUnit Source, int SourceTarget, long SourceOffset, UnitNexus DestinationNexus, int DestinationTarget, BlockRange DestinationRange, long Length)
{
    public DiskUnit Destination => (DiskUnit)DestinationNexus.Unit;
}

/// <summary>
/// The parameter list of EXTENDED COPY(LID1) (SPC-4 §6.5): a header, CSCD descriptors of type E4h that name units of this
/// target by their NAA designator, and segment descriptors of type 02h, block device to block device.
/// </summary>
internal sealed class CopyList
{
    public const int MaxTargets = 16;
    public const int MaxSegments = 16;
    public const int MaxDescriptorLength = MaxTargets * TargetLength + MaxSegments * SegmentLength;
    public const byte IdentificationTarget = 0xE4;
    public const byte BlockToBlockSegment = 0x02;

    /// <summary>LIST ID USAGE: only what a failure leaves is kept.</summary>
    public const int UsageUnkept = 2;

    /// <summary>LIST ID USAGE: there is no list id.</summary>
    public const int UsageNone = 3;

    private const int HeaderLength = 16;
    private const int TargetLength = 32;
    private const int SegmentLength = 28;
    private const int SegmentHeaderLength = 4;
    private const byte DestinationCount = 0x02;
    private const byte DesignatorBinary = 1;
    private const byte DesignatorNaa = 3;

    private readonly PortNexus _port;
    private readonly List<UnitNexus?> _targets = [];

    private CopyList(PortNexus port) => _port = port;

    public byte ListId { get; private init; }

    /// <summary>0: the result is kept for RECEIVE COPY RESULTS; <see cref="UsageUnkept"/>, or <see cref="UsageNone"/>.</summary>
    public int ListIdUsage { get; private init; }

    public List<CopySegment> Segments { get; } = [];

    /// <summary>Where the parameter list has the CSCD descriptor of this place.</summary>
    public static int PlaceOfTarget(int target) => HeaderLength + target * TargetLength;

    /// <summary>Of a list that is as long as its header, at least.</summary>
    public static bool HasListId(ReadOnlySpan<byte> list) => UsageOf(list) is 0 or UsageUnkept;

    /// <summary>Null where the command was refused, as the standard says for what is wrong with the list.</summary>
    public static CopyList? Parse(DiskUnit unit, PortNexus port, ScsiTask task, ReadOnlySpan<byte> list)
    {
        if (list.Length < HeaderLength)
            return Wrong(unit, task, SenseCode.ParameterListLengthError);
        var targetsLength = BinaryPrimitives.ReadUInt16BigEndian(list[2..]);
        var segmentsLength = BinaryPrimitives.ReadUInt32BigEndian(list[8..]);
        var inlineLength = BinaryPrimitives.ReadUInt32BigEndian(list[12..]);
        if (inlineLength != 0)
            return Wrong(unit, task, SenseCode.InvalidFieldInParameterList, 12);
        if (targetsLength + (long)segmentsLength > Math.Min(MaxDescriptorLength, list.Length - HeaderLength))
            return Wrong(unit, task, SenseCode.ParameterListLengthError);
        if (targetsLength % TargetLength != 0)
            return Wrong(unit, task, SenseCode.ParameterListLengthError);
        if (targetsLength / TargetLength > MaxTargets)
            return Wrong(unit, task, SenseCode.TooManyTargetDescriptors);
        var usage = UsageOf(list);
        if (usage == 1 || (usage == UsageNone && list[0] != 0))
            return Wrong(unit, task, SenseCode.InvalidFieldInParameterList, 1);

        var copy = new CopyList(port) { ListId = list[0], ListIdUsage = usage };
        var at = HeaderLength;
        for (var end = at + targetsLength; at < end; at += TargetLength)
        {
            if (!copy.TryAddTarget(unit, task, list.Slice(at, TargetLength), at))
                return null;
        }

        for (var end = at + (int)segmentsLength; at < end;)
        {
            if (copy.Segments.Count == MaxSegments)
                return Wrong(unit, task, SenseCode.TooManySegmentDescriptors);
            if (!copy.TryAddSegment(unit, task, list[at..end], at, out var length))
                return null;
            at += length;
        }

        return copy;
    }

    // SPC-4 §6.4.5: the identification descriptor.
    private bool TryAddTarget(DiskUnit unit, ScsiTask task, ReadOnlySpan<byte> descriptor, int at)
    {
        if (descriptor[0] != IdentificationTarget)
            return unit.Deny(task, SenseCode.UnsupportedTargetDescriptorTypeCode, SenseKeySpecific.InParameterList(at));

        // LU ID TYPE and NUL are obsolete, and not looked at. A target that no segment uses may be anybody's.
        _targets.Add(Find(descriptor[4..28]));
        return true;
    }

    private UnitNexus? Find(ReadOnlySpan<byte> designation)
    {
        if ((designation[0] & 0x0F) != DesignatorBinary || (designation[1] & 0x3F) != DesignatorNaa || designation[3] != 8)
            return null;
        foreach (var nexus in _port.Units)
        {
            if (nexus is { Unit: DiskUnit } && nexus.Unit.Identity.Naa.Span.SequenceEqual(designation.Slice(4, 8)))
                return nexus;
        }

        return null;
    }

    // SPC-4 §6.4.6: block device to block device.
    private bool TryAddSegment(DiskUnit unit, ScsiTask task, ReadOnlySpan<byte> left, int at, out int length)
    {
        length = 0;
        if (left[0] != BlockToBlockSegment)
            return unit.Deny(task, SenseCode.UnsupportedSegmentDescriptorTypeCode, SenseKeySpecific.InParameterList(at));
        if (left.Length < SegmentLength)
            return unit.Deny(task, SenseCode.ParameterListLengthError);
        if (BinaryPrimitives.ReadUInt16BigEndian(left[2..]) != SegmentLength - SegmentHeaderLength)
            return unit.DenyParameter(task, at + 2);
        length = SegmentLength;
        var (sourceTarget, destinationTarget) = (BinaryPrimitives.ReadUInt16BigEndian(left[4..]), BinaryPrimitives.ReadUInt16BigEndian(left[6..]));
        if (!TryTarget(sourceTarget, out var source))
            return Abort(unit, task, SenseCode.UnreachableCopyTarget, PlaceOf(sourceTarget, at + 4));
        if (!TryTarget(destinationTarget, out var destination))
            return Abort(unit, task, SenseCode.UnreachableCopyTarget, PlaceOf(destinationTarget, at + 6));

        var (from, to) = ((DiskUnit)source.Unit, (DiskUnit)destination.Unit);
        var blocks = BinaryPrimitives.ReadUInt16BigEndian(left[10..]);
        var bytes = (long)blocks * ((left[1] & DestinationCount) != 0 ? to : from).BlockSize;
        if (bytes % from.BlockSize != 0 || bytes % to.BlockSize != 0)
            return unit.DenyParameter(task, at + 10);
        var read = new BlockRange(BinaryPrimitives.ReadUInt64BigEndian(left[12..]), (uint)from.ToBlocks(bytes));
        var written = new BlockRange(BinaryPrimitives.ReadUInt64BigEndian(left[20..]), (uint)to.ToBlocks(bytes));
        if (!from.Holds(read) || !to.Holds(written))
            return Abort(unit, task, SenseCode.CopyAborted, at + (from.Holds(read) ? 20 : 12));

        // What the same nexus could not do itself, the copy does not do for it.
        if (!from.MayRead(source))
            return Abort(unit, task, SenseCode.ThirdPartyDeviceFailure, PlaceOfTarget(sourceTarget));
        if (!to.MayWrite(destination))
            return Abort(unit, task, SenseCode.ThirdPartyDeviceFailure, PlaceOfTarget(destinationTarget));
        Segments.Add(new(from, sourceTarget, from.ToBytes(read.Lba), destination, destinationTarget, written, bytes));
        return true;
    }

    /// <summary>Ends the command for the segment that would be next; always false.</summary>
    private bool Abort(DiskUnit unit, ScsiTask task, SenseCode code, int field)
    {
        new CopyFailure(code, Segments.Count, field).Tell(task, unit.UsesDescriptorSense);
        return false;
    }

    // The descriptor of a unit that is not to be had; or where there is no such descriptor, the field that names it.
    private int PlaceOf(int target, int field) => target < _targets.Count ? PlaceOfTarget(target) : field;

    private static int UsageOf(ReadOnlySpan<byte> list) => (list[1] >> 3) & 3;

    private bool TryTarget(int index, out UnitNexus target)
    {
        target = index < _targets.Count ? _targets[index]! : null!;
        return target is not null;
    }

    private static CopyList? Wrong(DiskUnit unit, ScsiTask task, SenseCode code, int? field = null)
    {
        unit.Deny(task, code, field is { } position ? SenseKeySpecific.InParameterList(position) : default);
        return null;
    }
}
