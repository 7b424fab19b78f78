using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Slipway.Server.Https;
using Slipway.Server.Site;

namespace Slipway.Server.Diagnosis;

internal static class CertificateChecks
{
    private static readonly TimeSpan Soon = TimeSpan.FromDays(90);

    public static IEnumerable<Finding> Certificates(SiteConfiguration site, TimeProvider clock) => [Authority(site.State, clock), .. Company(site, clock)];

    private static Finding Authority(string state, TimeProvider clock)
    {
        const string subject = "authority";
        var path = Path.Combine(state, SiteAuthority.RootFile);
        if (!File.Exists(path))
            return new(subject, Health.Ok, "it will be made at the first start");
        try
        {
            using var root = X509CertificateLoader.LoadCertificateFromFile(path);
            var (now, ends) = (clock.GetUtcNow(), new DateTimeOffset(root.NotAfter));
            if (now < root.NotBefore)
                return new(subject, Health.Failure, $"{path} begins at {root.NotBefore.ToUniversalTime():u}, which is to come", "set the clock right");
            return ends - now < Soon
                ? new(subject, Health.Failure, $"{path} ends at {ends.UtcDateTime:u}", "make a new one: move it and its key away, restart, and give machines media that trust the new one")
                : new(subject, Health.Ok, $"{path} is good until {ends.UtcDateTime:yyyy-MM-dd}");
        }
        catch (CryptographicException e)
        {
            return new(subject, Health.Failure, $"{path} cannot be read: {e.Message}", "bring it back from a copy, with ca.key");
        }
    }

    private static IEnumerable<Finding> Company(SiteConfiguration site, TimeProvider clock)
    {
        if (site.Certificate is not { } files)
            return [];
        try
        {
            var certificates = CertificateFiles.Open(files, [.. site.Networks.SelectMany(n => n.HttpsAddresses)], Dns.GetHostName(), clock);
            return certificates.Concerns.Count == 0
                ? [new("certificate", Health.Ok, $"{files.Certificate} can be used")]
                : certificates.Concerns.Select(c => new Finding("certificate", Health.Warning, c));
        }
        catch (CertificateFileException e)
        {
            return [new("certificate", Health.Failure, e.Message)];
        }
    }
}
