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
        List<string> missing = [];
        foreach (var package in Always.Concat(firmware.SystemPackages))
            if (!await IsInstalledAsync(package, cancellation)) missing.Add(package);
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

    private static async Task<bool> IsInstalledAsync(string package, CancellationToken cancellation)
    {
        var installed = false;
        await HostProgram.TryAsync("dpkg-query", ["--show", "--showformat", "${db:Status-Status}", package], cancellation, line => installed = line == "installed");
        return installed;
    }

    private static void Report(string line, Action<string> progress)
    {
        if (line.StartsWith("Get:", StringComparison.Ordinal) || line.StartsWith("Setting up ", StringComparison.Ordinal)) progress(line);
    }
}
