using Slipway.Server.Site;
using Slipway.Volumes.Store;

namespace Slipway.Server.Diagnosis;

internal static class DiskChecks
{
    public static async Task<IEnumerable<Finding>> ImagesAsync(SiteConfiguration site, bool full, CancellationToken cancellation)
    {
        var findings = new List<Finding>();
        if (Store(site) is not { } store)
            return findings;
        foreach (var image in store.Images.List())
        {
            var subject = $"image {image.Reference}";
            try
            {
                if (image.Checksum.Length == 0)
                    findings.Add(new(subject, Health.Warning, "its checksums are missing", $"import it anew: {image.Path}"));
                else if (!full)
                    findings.Add(new(subject, Health.Ok, "has its checksums (--full reads and compares)"));
                else if (await ImageStore.VerifyAsync(image, null, cancellation) is { } at)
                    findings.Add(new(subject, Health.Failure, $"{image.Path} has changed at byte {at}", "import it anew, and move its volumes with slipway volume rebase"));
                else
                    findings.Add(new(subject, Health.Ok, "is what was imported"));
            }
            catch (Exception e) when (e is IOException or VolumeStoreException)
            {
                findings.Add(new(subject, Health.Failure, e.Message));
            }
        }
        return findings;
    }

    public static IEnumerable<Finding> Volumes(SiteConfiguration site)
    {
        var store = Store(site);
        var missing = site.Machines.Where(m => !(Path.IsPathRooted(m.Volume) ? File.Exists(m.Volume) : store?.Contains(m.Volume) ?? false)).ToList();
        foreach (var machine in missing)
        {
            yield return new($"machine {machine.Name}", Health.Failure, $"its volume {machine.Volume} is not there",
                Path.IsPathRooted(machine.Volume) ? "put the file there, or change volume: in slipway.yaml" : $"slipway volume create {machine.Volume} --image NAME");
        }
        if (missing.Count == 0 && site.Machines.Count > 0)
            yield return new("machines", Health.Ok, $"the volumes of {site.Machines.Count} are there");
    }

    // Opening a store makes its folders, and a doctor makes nothing.
    private static VolumeStore? Store(SiteConfiguration site) =>
        VolumeStore.Exists(site.State) ? new VolumeStore(site.State) : null;
}
