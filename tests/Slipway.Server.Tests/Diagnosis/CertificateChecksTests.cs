using System.Globalization;
using Slipway.Server.Diagnosis;
using Slipway.Server.Https;
using Slipway.Server.Site.Yaml;

namespace Slipway.Server.Tests.Diagnosis;

/// <summary>The site's own authority, at other times than the present.</summary>
public sealed class CertificateChecksTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("2009-12-01", Health.Failure, "which is to come", "set the clock right")]
    [InlineData("2026-06-01", Health.Ok, "is good until 2046-", null)]
    [InlineData("2046-03-01", Health.Failure, "ends at 2046-", "make a new one: ")]
    [InlineData("2047-01-01", Health.Failure, "ends at 2046-", "make a new one: ")]
    public void What_is_not_good_yet_or_ends_soon_is_a_failure(string now, Health health, string text, string? advice)
    {
        SiteAuthority.Open(_folder.Path, "lab", new At("2026-05-01")).Dispose();
        var site = SiteFile.Parse(new StringReader($"state: {_folder.Path}"), Path.Combine(_folder.Path, "slipway.yaml"));
        var finding = Assert.Single(CertificateChecks.Certificates(site, new At(now)));
        Assert.Equal(("authority", health), (finding.Subject, finding.Health));
        Assert.Contains(text, finding.Text, StringComparison.Ordinal);
        Assert.StartsWith(advice ?? "", finding.Advice ?? "", StringComparison.Ordinal);
    }

    private sealed class At(string day) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.Parse(day + "T00:00:00Z", CultureInfo.InvariantCulture);
    }
}
