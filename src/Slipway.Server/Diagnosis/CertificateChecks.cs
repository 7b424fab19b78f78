using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Slipway.Server.Https;
using Slipway.Server.Site;

namespace Slipway.Server.Diagnosis;

internal static class CertificateChecks
{
    public const string BringBack = "Bring both back from a copy; or move what is left away, and give every machine media that trust the new one that is made then (slipway explain SLP2004)";

    private static readonly TimeSpan Soon = TimeSpan.FromDays(90);

    public static IEnumerable<Finding> Certificates(SiteConfiguration site, TimeProvider clock) => [Authority(site.State, clock), .. Company(site, clock)];

    /// <summary>SHA-256 of the root that machines have to trust; null where there is none yet, or it cannot be read.</summary>
    public static byte[]? RootFingerprint(SiteConfiguration site, TimeProvider clock)
    {
        try
        {
            if (site.Certificate is { } files)
                return CertificateFiles.Open(files, [.. site.Networks.SelectMany(n => n.HttpsAddresses)], Dns.GetHostName(), clock).RootFingerprint;
            var path = Path.Combine(site.State, SiteAuthority.RootFile);
            return File.Exists(path) ? X509CertificateLoader.LoadCertificateFromFile(path).GetCertHash(HashAlgorithmName.SHA256) : null;
        }
        catch (Exception e) when (e is CertificateFileException or CryptographicException)
        {
            return null;
        }
    }

    private static Finding Authority(string state, TimeProvider clock)
    {
        const string subject = "authority";
        var path = Path.Combine(state, SiteAuthority.RootFile);
        if (!File.Exists(path) && !File.Exists(Path.Combine(state, SiteAuthority.KeyFile)))
            return new(subject, Health.Ok, "it will be made at the first start");
        try
        {
            using var authority = SiteAuthority.Open(state, "", clock);
            using var root = X509CertificateLoader.LoadCertificate(authority.RootDer.Span);
            var (now, ends) = (clock.GetUtcNow(), new DateTimeOffset(root.NotAfter));
            if (now < root.NotBefore)
                return new(subject, Health.Failure, $"{path} begins at {root.NotBefore.ToUniversalTime():u}, which is to come", "set the clock right");
            return ends - now < Soon
                ? new(subject, Health.Failure, $"{path} ends at {ends.UtcDateTime:u}", "make a new one: move it and its key away, restart, and give machines media that trust the new one (slipway explain SLP2004)")
                : new(subject, Health.Ok, $"{path} is good until {ends.UtcDateTime:yyyy-MM-dd}");
        }
        catch (CryptographicException e)
        {
            return new(subject, Health.Failure, e.Message, BringBack);
        }
        catch (UnauthorizedAccessException e)
        {
            return new(subject, Health.Warning, e.Message, "run slipway doctor as the user that serves");
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
