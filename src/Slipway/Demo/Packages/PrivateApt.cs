using System.Globalization;
using System.Text.RegularExpressions;
using Slipway.Host;

namespace Slipway.Demo.Packages;

/// <summary>
/// An apt of the demo's own for one architecture: its lists and its packages lie under one folder, and the system's never
/// change. It takes packages from releases, and for processors, that the host itself does not have. Signatures are
/// checked by apt, with Debian's keys. Packages are unpacked, not installed.
/// </summary>
internal sealed partial class PrivateApt(DebianHost host, GuestArchitecture architecture, string folder)
{
    private const string Keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
    private bool _listsAreFresh;

    /// <summary>Where the packages of one release lie unpacked.</summary>
    public string Unpacked(string release) => Path.Combine(folder, release);

    /// <summary>Downloads and unpacks the packages that are not there yet.</summary>
    public async Task EnsureAsync(string release, IEnumerable<string> packages, Action<string> progress, CancellationToken cancellation)
    {
        var missing = packages.Where(p => !File.Exists(Marker(release, p))).ToList();
        if (missing.Count == 0) return;
        await RefreshListsAsync(progress, cancellation);

        var downloads = Path.Combine(folder, "download");
        if (Directory.Exists(downloads)) Directory.Delete(downloads, recursive: true);
        Directory.CreateDirectory(downloads);
        foreach (var package in missing)
        {
            await AptAsync("apt-get", ["download", $"{package}/{release}"], cancellation, line => ReportDownload(line, progress), downloads);
            var file = Directory.GetFiles(downloads).Single();
            progress($"unpacking {package}");
            CreateRoot(Unpacked(release));
            await HostProgram.RunAsync("dpkg-deb", ["--extract", file, Unpacked(release)], cancellation);
            Directory.CreateDirectory(Path.GetDirectoryName(Marker(release, package))!);
            // The name carries the version: what was unpacked can be told, and told apart.
            await File.WriteAllTextAsync(Marker(release, package), Path.GetFileName(file), cancellation);
            File.Delete(file);
        }
    }

    // Since Debian 13 packages have nothing in these, and find what others have there through the links of base-files.
    private static void CreateRoot(string root)
    {
        if (Directory.Exists(root)) return;
        foreach (var merged in (string[])["bin", "sbin", "lib"])
        {
            Directory.CreateDirectory(Path.Combine(root, "usr", merged));
            Directory.CreateSymbolicLink(Path.Combine(root, merged), "usr/" + merged);
        }
    }

    /// <summary>The kernel package that Debian's <c>linux-image-…</c> stands for in a release.</summary>
    public async Task<string> KernelPackageAsync(string release, Action<string> progress, CancellationToken cancellation)
    {
        var answer = Path.Combine(folder, $"{release}.kernel");
        if (File.Exists(answer)) return await File.ReadAllTextAsync(answer, cancellation);
        await RefreshListsAsync(progress, cancellation);
        var kernel = "";
        await AptAsync("apt-cache", ["show", $"linux-image-{architecture.Debian}/{release}"], cancellation, line =>
        {
            if (KernelDependency().Match(line) is { Success: true } match) kernel = match.Groups["name"].Value;
        });
        if (kernel == "") throw new DemoException($"{host.Mirror} has no linux-image-{architecture.Debian} in {release}");
        await File.WriteAllTextAsync(answer, kernel, cancellation);
        return kernel;
    }

    /// <summary>The exact packages that are unpacked: the same list, the same bytes.</summary>
    public IEnumerable<string> Versions() => Directory.EnumerateFiles(Path.Combine(folder, "packages"), "*", SearchOption.AllDirectories)
        .Order(StringComparer.Ordinal).Select(File.ReadAllText);

    private string Marker(string release, string package) => Path.Combine(folder, "packages", release, package);

    private async Task RefreshListsAsync(Action<string> progress, CancellationToken cancellation)
    {
        if (_listsAreFresh) return;
        if (!File.Exists(Keyring)) throw new DemoException($"{Keyring} is missing: install debian-archive-keyring");
        foreach (var name in (string[])["etc", "state/lists/partial", "cache/archives/partial"])
            Directory.CreateDirectory(Path.Combine(folder, "apt", name));
        await File.WriteAllTextAsync(Path.Combine(folder, "apt/state/status"), "", cancellation);
        await File.WriteAllTextAsync(Path.Combine(folder, "apt/etc/demo.sources"),
            $"""
            Types: deb
            URIs: {host.Mirror}
            Suites: {string.Join(' ', DemoParts.Releases(host, architecture))}
            Components: main
            Architectures: {architecture.Debian}
            Signed-By: {Keyring}

            """, cancellation);
        await File.WriteAllTextAsync(Path.Combine(folder, "apt/etc/apt.conf"), Configuration(), cancellation);
        progress($"package lists of {host.Mirror} ({architecture.Debian})");
        await AptAsync("apt-get", ["update", "--error-on=any"], cancellation, line => ReportDownload(line, progress));
        _listsAreFresh = true;
    }

    /// <summary>The host's settings stay out, its hooks above all; how it reaches the mirror comes along.</summary>
    private string Configuration() => string.Create(CultureInfo.InvariantCulture, $"""
        Dir "{folder}/apt";
        Dir::State "{folder}/apt/state";
        Dir::State::status "{folder}/apt/state/status";
        Dir::Cache "{folder}/apt/cache";
        Dir::Etc::SourceList "{folder}/apt/etc/demo.sources";
        Dir::Etc::SourceParts "/dev/null";
        Dir::Etc::Preferences "/dev/null";
        Dir::Etc::PreferencesParts "/dev/null";
        Dir::Etc::Main "/dev/null";
        Dir::Etc::Parts "/dev/null";
        Dir::Etc::Netrc "/etc/apt/auth.conf";
        Dir::Etc::NetrcParts "/etc/apt/auth.conf.d";
        Dir::Bin::Methods "/usr/lib/apt/methods";
        Dir::Bin::dpkg "/usr/bin/dpkg";
        APT::Architecture "{architecture.Debian}";
        APT::Architectures "{architecture.Debian}";
        APT::Sandbox::User "";
        Acquire::Languages "none";
        {string.Join('\n', host.Transport)}

        """);

    private Task AptAsync(string program, string[] arguments, CancellationToken cancellation, Action<string>? onLine = null, string? directory = null) =>
        HostProgram.RunAsync(program, arguments, cancellation, onLine, directory,
            new Dictionary<string, string> { ["APT_CONFIG"] = Path.Combine(folder, "apt/etc/apt.conf") });

    private static void ReportDownload(string line, Action<string> progress)
    {
        if (DownloadLine().Match(line) is { Success: true } match) progress($"downloading {match.Groups["what"].Value}");
    }

    // "Get:1 http://deb.debian.org/debian trixie/main amd64 ipxe all 1.21.1 [2480 kB]"
    [GeneratedRegex(@"^Get:\d+ \S+ (?<what>.*)$")]
    private static partial Regex DownloadLine();

    [GeneratedRegex(@"^Depends: (?<name>linux-image-\S+)")]
    private static partial Regex KernelDependency();
}
