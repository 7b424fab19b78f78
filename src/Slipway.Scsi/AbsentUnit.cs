using Slipway.Scsi.Commands;
using Slipway.Scsi.Commands.Discovery;

namespace Slipway.Scsi;

/// <summary>
/// What answers where no unit is (SPC-4 §6.6.1, SAM-5 §4.7.5): INQUIRY with peripheral qualifier 011b, REPORT LUNS,
/// REQUEST SENSE, and LOGICAL UNIT NOT SUPPORTED to anything else.
/// </summary>
internal sealed class AbsentUnit() : LogicalUnit(new UnitIdentity("absent"))
{
    private static readonly CommandTable Table = new(Inquiry.AbsentRows, ReportLuns.Rows, RequestSense.AbsentRows);

    internal override CommandTable Commands => Table;

    private protected override SenseCode? Refuses(CommandRow? row) => row is null ? SenseCode.LogicalUnitNotSupported : null;
}
