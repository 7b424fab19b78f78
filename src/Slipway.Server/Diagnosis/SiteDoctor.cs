using Microsoft.Extensions.Logging;
using Slipway.Server.Site;

namespace Slipway.Server.Diagnosis;

/// <summary>
/// Looks for what would keep a site from booting machines, whether its server runs or not. It changes nothing: of what it
/// does, only the question for other DHCP servers is seen by anybody.
/// </summary>
public static class SiteDoctor
{
    /// <param name="full">Reads every image whole, and compares it with its checksums.</param>
    public static async Task<IReadOnlyList<Finding>> ExamineAsync(SiteConfiguration site, bool full, TimeProvider clock, ILogger logger, CancellationToken cancellation = default) =>
    [
        .. NetworkChecks.Interfaces(site),
        .. await NetworkChecks.OtherServersAsync(site, clock, logger, cancellation),
        .. PortChecks.Ports(site),
        .. ClockCheck.Clock(),
        .. StateChecks.Folder(site),
        .. CertificateChecks.Certificates(site, clock),
        .. await DiskChecks.ImagesAsync(site, full, cancellation),
        .. await DiskChecks.VolumesAsync(site, cancellation),
        .. StateChecks.Programs(site, clock),
    ];
}
