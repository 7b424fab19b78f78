using Slipway.Scsi;

namespace Slipway.Iscsi.Target.FullFeature;

/// <summary>What a command ends with where the transport, not its unit, ends it (RFC 7143 §11.4.7.2).</summary>
internal static class SenseCodes
{
    public static readonly SenseCode UnexpectedUnsolicitedData = new(SenseKey.AbortedCommand, 0x0C0C);
    public static readonly SenseCode IncorrectAmountOfData = new(SenseKey.AbortedCommand, 0x0C0D);
    public static readonly SenseCode ProtocolServiceCrcError = new(SenseKey.AbortedCommand, 0x4705);

    /// <summary>SAM-5 §8.6: a task attribute that is none, or ACA where there is no ACA condition.</summary>
    public static readonly SenseCode InvalidMessageError = new(SenseKey.IllegalRequest, 0x4900);

    /// <summary>SPC-4 §4.5.6.</summary>
    public static readonly SenseCode InternalTargetFailure = new(SenseKey.HardwareError, 0x4400);
}
