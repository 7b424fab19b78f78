using Slipway.Host;

namespace Slipway.Demo.Packages;

/// <summary>The Debian system that the demo runs on.</summary>
/// <param name="Codename">Its release.</param>
/// <param name="Mirror">Where it gets its packages: the demo uses the same place.</param>
/// <param name="Transport">Its apt's settings for reaching that place: proxies, time-outs, certificates.</param>
internal sealed record DebianHost(string Codename, string Mirror, IReadOnlyList<string> Transport)
{
    private const string DefaultMirror = "http://deb.debian.org/debian/";
    private static readonly string[] KnownReleases = ["bookworm", "trixie"];
    private static readonly string[] TransportSettings = ["Acquire::http", "Acquire::https", "Acquire::socks", "Acquire::Force", "Acquire::Retries"];

    public static async Task<DebianHost> ReadAsync(CancellationToken cancellation)
    {
        var facts = File.Exists("/etc/os-release") ? await File.ReadAllLinesAsync("/etc/os-release", cancellation) : [];
        var codename = Fact(facts, "VERSION_CODENAME");
        if (Fact(facts, "ID") != "debian" || !KnownReleases.Contains(codename))
            throw new DemoException($"the demo takes its parts from Debian and runs on Debian 12 or 13; this is {Fact(facts, "PRETTY_NAME") ?? "an unknown system"}");

        var targets = await HostProgram.ReadAsync("apt-get", ["indextargets", "--format", "$(SUITE) $(COMPONENT) $(REPO_URI)", "Identifier: Packages"], cancellation);
        var mirror = targets.Select(t => t.Split(' ', 3))
            .FirstOrDefault(t => t.Length == 3 && t[1] == "main" && (t[0] == codename || t[0] is "stable" or "oldstable"))?[2] ?? DefaultMirror;
        var settings = await HostProgram.ReadAsync("apt-config", ["dump"], cancellation);
        return new DebianHost(codename!, mirror, [.. settings.Where(s => TransportSettings.Any(t => s.StartsWith(t, StringComparison.OrdinalIgnoreCase)))]);
    }

    private static string? Fact(string[] lines, string name) =>
        lines.FirstOrDefault(l => l.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..].Trim('"');
}
