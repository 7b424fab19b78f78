using System.Buffers.Binary;
using Slipway.Scsi.MediumOperations;

namespace Slipway.Scsi.Commands.Medium;

/// <summary>SANITIZE (SBC-3 §5.24, §4.11). CRYPTOGRAPHIC ERASE there is none: the medium is not encrypted.</summary>
internal static class Sanitize
{
    private const int HeaderLength = 4;
    private const byte Immediate = 0x80;
    private const byte AllowUnrestrictedExit = 0x20;
    private const byte Invert = 0x80;
    private const byte Test = 0x60;

    private const CommandTraits Traits = CommandTraits.WritesMedium | CommandTraits.PassesMediumOperation;

    public static readonly CommandRow[] Rows =
    [
        Row("OVERWRITE", 0x01, Overwrite),
        Row("BLOCK ERASE", 0x02, BlockErase),
        Row("EXIT FAILURE MODE", 0x1F, ExitFailureMode),
    ];

    private static CommandRow Row(string name, byte serviceAction, CommandHandler<DiskUnit> handler) => CommandRow.For(
        $"SANITIZE, {name}", $"48 {0xA0 | serviceAction:X2} 00 00 00 00 00 FF FF 00", Traits, handler, serviceAction);

    private static ValueTask Overwrite(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        var length = BinaryPrimitives.ReadUInt16BigEndian(task.Cdb[7..]);
        task.TransferLength = length;
        if (length <= HeaderLength || length > HeaderLength + unit.BlockSize)
            return unit.RefuseField(task, 7);
        if (task.DataOut.Length < length)
            return unit.Refuse(task, SenseCode.ParameterListLengthError);
        var list = task.DataOut.Span[..length];

        // SBC-3 §5.24: what TEST asks for would be the vendor's own.
        if ((list[0] & Test) != 0)
            return unit.RefuseParameter(task, 0, 6);
        var passes = list[0] & 0x1F;
        if (passes == 0)
            return unit.RefuseParameter(task, 0, 4);
        var patternLength = BinaryPrimitives.ReadUInt16BigEndian(list[2..]);
        if (patternLength == 0 || patternLength > length - HeaderLength)
            return unit.RefuseParameter(task, 2);

        var block = MediumOperation.Block(list.Slice(HeaderLength, patternLength), unit.BlockSize);
        var inverts = (list[0] & Invert) != 0;
        return Begin(unit, task, () => MediumOperation.Overwrite(unit, block, passes, inverts), cancellation);
    }

    private static ValueTask BlockErase(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation) =>
        HasNoParameters(unit, task) ? Begin(unit, task, () => MediumOperation.Erase(unit), cancellation) : default;

    private static ValueTask ExitFailureMode(DiskUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation) =>
        HasNoParameters(unit, task) && unit.MediumOperation.TryExitFailure() is { } refusal ? unit.Refuse(task, refusal) : default;

    private static bool HasNoParameters(DiskUnit unit, ScsiTask task) =>
        (task.Cdb[7] | task.Cdb[8]) == 0 || unit.DenyField(task, 7);

    private static ValueTask Begin(DiskUnit unit, ScsiTask task, Func<MediumOperation> begin, CancellationToken cancellation) => unit.Operate(
        task, MediumOperationSense.Sanitize, begin, (task.Cdb[1] & AllowUnrestrictedExit) != 0, (task.Cdb[1] & Immediate) != 0, cancellation);
}
