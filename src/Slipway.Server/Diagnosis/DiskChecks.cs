using Slipway.Server.Site;
using Slipway.Volumes;
using Slipway.Volumes.Store;

namespace Slipway.Server.Diagnosis;

internal static class DiskChecks
{
    private const string Replace = "import it anew, and move its volumes with slipway volume rebase (slipway explain SLP2007)";

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
                else if (await Volume.FindFaultAsync(image.Path, site.State, cancellation) is { } fault)
                    findings.Add(new(subject, Health.Failure, $"{image.Path} is damaged: {fault}", Replace));
                else if (!full)
                    findings.Add(new(subject, Health.Ok, "can be opened and has its checksums (--full reads and compares)"));
                else if (await ImageStore.VerifyAsync(image, null, cancellation) is { } at)
                    findings.Add(new(subject, Health.Failure, $"{image.Path} has changed at byte {at}", Replace));
                else
                    findings.Add(new(subject, Health.Ok, "is what was imported"));
            }
            catch (IOException e)
            {
                findings.Add(new(subject, Health.Failure, e.Message));
            }
        }
        return findings;
    }

    /// <summary>Those of the site's machines, and all in the store: of machines that were approved, too.</summary>
    public static async Task<IEnumerable<Finding>> VolumesAsync(SiteConfiguration site, CancellationToken cancellation)
    {
        var findings = new List<Finding>();
        var store = Store(site);
        var stored = store?.List().ToDictionary(v => v.Name, v => v.Path) ?? [];
        foreach (var machine in site.Machines.Where(m => !(Path.IsPathRooted(m.Volume) ? File.Exists(m.Volume) : stored.ContainsKey(m.Volume))))
        {
            findings.Add(new($"machine {machine.Name}", Health.Failure, $"its volume {machine.Volume} is not there",
                Path.IsPathRooted(machine.Volume) ? "put the file there, or change volume: in slipway.yaml" : $"slipway volume create {machine.Volume} --image NAME"));
        }
        var files = site.Machines.Select(m => m.Volume).Where(v => Path.IsPathRooted(v) && File.Exists(v)).Select(path => (Name: path, Path: path, Store: (string?)null));
        var sound = 0;
        foreach (var (name, path, root) in files.Concat(stored.Select(v => (v.Key, v.Value, (string?)site.State))))
        {
            if (await LookAsync(name, path, root, cancellation) is { } finding)
                findings.Add(finding);
            else
                sound++;
        }
        if (sound > 0)
            findings.Add(new("volumes", Health.Ok, $"{sound} can be opened, with what they stand on"));
        return findings;
    }

    private static async Task<Finding?> LookAsync(string name, string path, string? store, CancellationToken cancellation)
    {
        var subject = $"volume {name}";
        try
        {
            return await Volume.FindFaultAsync(path, store, cancellation) is { } fault
                ? new(subject, Health.Failure, $"{path} is damaged: {fault}", "bring it back from a copy or a snapshot (slipway volume rollback); qemu-img check -r all repairs what can be, and may lose data (slipway explain SLP2007)")
                : null;
        }
        catch (UnauthorizedAccessException e)
        {
            return new(subject, Health.Warning, e.Message, "run slipway doctor as the user that serves");
        }
        catch (IOException e)
        {
            return new(subject, Health.Failure, $"{path} cannot be opened: {e.Message}", "bring back what is missing, or bring it back from a copy");
        }
    }

    // Opening a store makes its folders, and a doctor makes nothing.
    private static VolumeStore? Store(SiteConfiguration site) =>
        VolumeStore.Exists(site.State) ? new VolumeStore(site.State) : null;
}
