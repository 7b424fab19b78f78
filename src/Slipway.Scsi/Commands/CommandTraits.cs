namespace Slipway.Scsi.Commands;

/// <summary>What has to be checked before a command runs, whatever the command does.</summary>
[Flags]
internal enum CommandTraits
{
    None = 0,

    /// <summary>Runs although a unit attention is pending (SAM-5 §5.14: INQUIRY, REPORT LUNS, REQUEST SENSE).</summary>
    PassesUnitAttention = 1,

    /// <summary>Needs a started unit with a medium in it (SBC-3 §4.20, NOT READY otherwise).</summary>
    NeedsMedium = 2,

    /// <summary>Changes the medium: refused with DATA PROTECT on a write-protected unit (SBC-3 §4.12).</summary>
    Writes = 4,

    /// <summary>Reservation conflict under an exclusive access reservation of another nexus (SPC-4 §5.12.1, SBC-3 table 13).</summary>
    ConflictsWithExclusiveAccess = 8,

    /// <summary>Reservation conflict under a write exclusive reservation of another nexus.</summary>
    ConflictsWithWriteExclusive = 16,

    /// <summary>Moves what was written to the medium; a failure is a write error.</summary>
    Flushes = 32,

    /// <summary>Runs although another nexus holds the unit with RESERVE (SPC-2 table 9).</summary>
    PassesReserve = 64,

    /// <summary>Runs although the medium is being sanitized or formatted, or failed to be (SBC-3 §4.11, §5.3.1).</summary>
    PassesMediumOperation = 128,

    /// <summary>Reservation conflict where any nexus holds the unit with RESERVE, the one that asks too (SPC-2 §5.5.1).</summary>
    ConflictsWithReserve = 256,

    /// <summary>What it moves is Data-Out.</summary>
    TakesData = 512,

    AlwaysRuns = PassesUnitAttention | PassesReserve | PassesMediumOperation,
    ReadsMedium = NeedsMedium | ConflictsWithExclusiveAccess,
    WritesMedium = NeedsMedium | Writes | TakesData | ConflictsWithExclusiveAccess | ConflictsWithWriteExclusive,
}
