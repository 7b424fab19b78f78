namespace Slipway.Scsi;

/// <summary>
/// A sense key with its additional sense code and qualifier (SPC-4 §4.5.6); <paramref name="Additional"/>
/// is ASC in the high byte, ASCQ in the low one.
/// </summary>
public readonly record struct SenseCode(SenseKey Key, ushort Additional)
{
    public static readonly SenseCode NoSense;

    public static readonly SenseCode NotReadyInitializingCommandRequired = new(SenseKey.NotReady, 0x0402);
    public static readonly SenseCode FormatInProgress = new(SenseKey.NotReady, 0x0404);
    public static readonly SenseCode SanitizeInProgress = new(SenseKey.NotReady, 0x041B);
    public static readonly SenseCode MediumNotPresent = new(SenseKey.NotReady, 0x3A00);
    public static readonly SenseCode MediumNotPresentTrayOpen = new(SenseKey.NotReady, 0x3A02);

    public static readonly SenseCode WriteError = new(SenseKey.MediumError, 0x0C00);
    public static readonly SenseCode UnrecoveredReadError = new(SenseKey.MediumError, 0x1100);
    public static readonly SenseCode MediumFormatCorrupted = new(SenseKey.MediumError, 0x3100);
    public static readonly SenseCode FormatCommandFailed = new(SenseKey.MediumError, 0x3101);
    public static readonly SenseCode SanitizeCommandFailed = new(SenseKey.MediumError, 0x3103);

    public static readonly SenseCode OperationInProgress = new(SenseKey.IllegalRequest, 0x0016);
    public static readonly SenseCode ParameterListLengthError = new(SenseKey.IllegalRequest, 0x1A00);
    public static readonly SenseCode InvalidCommandOperationCode = new(SenseKey.IllegalRequest, 0x2000);
    public static readonly SenseCode LogicalBlockAddressOutOfRange = new(SenseKey.IllegalRequest, 0x2100);
    public static readonly SenseCode InvalidFieldInCdb = new(SenseKey.IllegalRequest, 0x2400);
    public static readonly SenseCode LogicalUnitNotSupported = new(SenseKey.IllegalRequest, 0x2500);
    public static readonly SenseCode InvalidFieldInParameterList = new(SenseKey.IllegalRequest, 0x2600);
    public static readonly SenseCode InvalidReleaseOfPersistentReservation = new(SenseKey.IllegalRequest, 0x2604);
    public static readonly SenseCode TooManyTargetDescriptors = new(SenseKey.IllegalRequest, 0x2606);
    public static readonly SenseCode UnsupportedTargetDescriptorTypeCode = new(SenseKey.IllegalRequest, 0x2607);
    public static readonly SenseCode TooManySegmentDescriptors = new(SenseKey.IllegalRequest, 0x2608);
    public static readonly SenseCode UnsupportedSegmentDescriptorTypeCode = new(SenseKey.IllegalRequest, 0x2609);
    public static readonly SenseCode CannotReadMediumIncompatibleFormat = new(SenseKey.IllegalRequest, 0x3002);
    public static readonly SenseCode SavingParametersNotSupported = new(SenseKey.IllegalRequest, 0x3900);
    public static readonly SenseCode MediumRemovalPrevented = new(SenseKey.IllegalRequest, 0x5302);
    public static readonly SenseCode InsufficientRegistrationResources = new(SenseKey.IllegalRequest, 0x5504);
    public static readonly SenseCode IllegalModeForThisTrack = new(SenseKey.IllegalRequest, 0x6400);

    public static readonly SenseCode MediumMayHaveChanged = new(SenseKey.UnitAttention, 0x2800);
    public static readonly SenseCode PowerOnOrReset = new(SenseKey.UnitAttention, 0x2900);
    public static readonly SenseCode BusDeviceResetFunctionOccurred = new(SenseKey.UnitAttention, 0x2903);
    public static readonly SenseCode ModeParametersChanged = new(SenseKey.UnitAttention, 0x2A01);
    public static readonly SenseCode ReservationsPreempted = new(SenseKey.UnitAttention, 0x2A03);
    public static readonly SenseCode ReservationsReleased = new(SenseKey.UnitAttention, 0x2A04);
    public static readonly SenseCode RegistrationsPreempted = new(SenseKey.UnitAttention, 0x2A05);
    public static readonly SenseCode CapacityDataHasChanged = new(SenseKey.UnitAttention, 0x2A09);
    public static readonly SenseCode CommandsClearedByAnotherInitiator = new(SenseKey.UnitAttention, 0x2F00);
    public static readonly SenseCode ReportedLunsDataHasChanged = new(SenseKey.UnitAttention, 0x3F0E);

    public static readonly SenseCode WriteProtected = new(SenseKey.DataProtect, 0x2700);
    public static readonly SenseCode SoftwareWriteProtected = new(SenseKey.DataProtect, 0x2702);
    public static readonly SenseCode SpaceAllocationFailed = new(SenseKey.DataProtect, 0x2707);

    public static readonly SenseCode CopyAborted = new(SenseKey.CopyAborted, 0x0000);
    public static readonly SenseCode UnreachableCopyTarget = new(SenseKey.CopyAborted, 0x0804);
    public static readonly SenseCode ThirdPartyDeviceFailure = new(SenseKey.CopyAborted, 0x0D01);

    public static readonly SenseCode MiscompareDuringVerify = new(SenseKey.Miscompare, 0x1D00);
}
