using Slipway.Scsi;

namespace Slipway.Iscsi.Target.FullFeature;

/// <summary>Sense data for what goes wrong in the transport (RFC 7143 §11.4.7.2); key ABORTED COMMAND but for the last.</summary>
internal static class SenseCodes
{
    public const uint UnexpectedUnsolicitedData = 0x0B0C0C;
    public const uint IncorrectAmountOfData = 0x0B0C0D;
    public const uint ProtocolServiceCrcError = 0x0B4705;

    /// <summary>HARDWARE ERROR, INTERNAL TARGET FAILURE (SPC-4 table D.1).</summary>
    public const uint InternalTargetFailure = 0x044400;

    /// <summary>Fixed format, current (SPC-4 §4.5.3).</summary>
    public static void Set(ScsiTask task, uint code)
    {
        task.Status = ScsiStatus.CheckCondition;
        task.DataIn = default;
        task.TransferLength = 0;
        var sense = task.SetSense(18);
        sense[0] = 0x70;
        sense[2] = (byte)(code >> 16);
        sense[7] = 10;
        sense[12] = (byte)(code >> 8);
        sense[13] = (byte)code;
    }
}
