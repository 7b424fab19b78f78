using Slipway.Host;

namespace Slipway.Demo.Packages;

/// <summary>Debian packages that have to be installed on the host: programs that the demo runs.</summary>
internal static class SystemPackages
{
    /// <summary>Whatever the firmware: network, image tools, and the keys that packages are checked with.</summary>
    private static readonly string[] Always =
        ["iproute2", "util-linux", "e2fsprogs", "kmod", "grub-common", "debian-archive-keyring"];

    /// <summary>Installs what is missing. Nothing that is installed is upgraded or removed.</summary>
    /// <exception cref="DemoException">Not root: the message is the command to run.</exception>
    public static async Task EnsureAsync(DemoFirmware firmware, Action<string> progress, CancellationToken cancellation)
    {
        var installed = await InstalledAsync(cancellation);
        var missing = Always.Concat(firmware.SystemPackages).Where(p => !installed.Contains(p)).ToList();
        if (missing.Count == 0) return;

        string[] install = ["install", "--yes", "--no-install-recommends", "--no-upgrade", "--no-remove", .. missing];
        if (!Environment.IsPrivilegedProcess)
            throw new DemoException($"Debian packages are missing. Install them, then run the demo again:\n  sudo apt-get {string.Join(' ', install)}");
        progress($"installing {string.Join(' ', missing)}");
        await HostProgram.RunAsync("apt-get", ["update", "-o", "DPkg::Lock::Timeout=300"], cancellation);
        await HostProgram.RunAsync("apt-get", ["-o", "DPkg::Lock::Timeout=300", .. install], cancellation, line => Report(line, progress),
            environment: new Dictionary<string, string>
            {
                ["DEBIAN_FRONTEND"] = "noninteractive",
                // A service that a package would start has no business on a machine that shows a demo.
                ["RUNLEVEL"] = "1",
            });
    }

    /// <summary>What is installed, also under the names that packages provide: one program may be in another package in another release.</summary>
    private static async Task<HashSet<string>> InstalledAsync(CancellationToken cancellation)
    {
        var lines = await HostProgram.ReadAsync("dpkg-query", ["--show", "--showformat", @"${db:Status-Status} ${Package}, ${Provides}\n"], cancellation);
        return [.. lines.Where(l => l.StartsWith("installed ", StringComparison.Ordinal))
            .SelectMany(l => l["installed ".Length..].Split(',', StringSplitOptions.TrimEntries))
            .Select(p => p.Split(' ')[0])];
    }

    private static void Report(string line, Action<string> progress)
    {
        if (line.StartsWith("Get:", StringComparison.Ordinal) || line.StartsWith("Setting up ", StringComparison.Ordinal)) progress(line);
    }
}
