using Slipway.Host;

namespace Slipway.Demo.Packages;

/// <summary>
/// The parts of a demo machine, as Debian ships them. U-Boot and iPXE come from Debian 13: Debian 12's U-Boot does not
/// get this far, and its iPXE has no HTTPS. The machine's own system is Debian 12 on either host,
/// and Debian 13 where the processor is not in Debian 12.
/// </summary>
internal sealed record DemoParts(string UBoot, string Ipxe, string Grub, string? GrubBios, string System, string KernelVersion, IReadOnlyList<string> Versions)
{
    private const string SystemRelease = "bookworm", FirmwareRelease = "trixie";

    // iscsistart and openssl, and every library that they ask for.
    private static readonly string[] SystemPackageNames =
        ["busybox-static", "openssl", "open-iscsi", "libopeniscsiusr", "libssl3", "libkmod2", "liblzma5", "libzstd1", "libc6"];

    // The same in Debian 13: what has a 64-bit time_t is called so.
    private static readonly string[] NewerSystemPackageNames =
        ["busybox-static", "openssl", "open-iscsi", "libopeniscsiusr", "libssl3t64", "libkmod2", "liblzma5", "libzstd1", "zlib1g", "libc6"];

    public static IEnumerable<string> Releases(DebianHost host, GuestArchitecture architecture) =>
        architecture.IsInDebian12 ? new[] { SystemRelease, FirmwareRelease, host.Codename }.Distinct() : [FirmwareRelease];

    /// <summary>Fetches what is not in <paramref name="folder"/> yet.</summary>
    /// <param name="further">Packages of the machine's system beyond what the demo needs.</param>
    public static async Task<DemoParts> EnsureAsync(
        GuestArchitecture architecture, string folder, Action<string> progress, CancellationToken cancellation, params IEnumerable<string> further)
    {
        Directory.CreateDirectory(folder);
        using var turn = await FolderLock.TakeAsync(folder, () => progress("waiting for another demo that fetches packages"), cancellation);
        var host = await DebianHost.ReadAsync(cancellation);
        var apt = new PrivateApt(host, architecture, folder);
        await apt.EnsureAsync(FirmwareRelease, ["u-boot-qemu", "ipxe"], progress, cancellation);
        // grub-mkimage is the host's, and it wants the modules of its own release; Debian 12's takes those of Debian 13 for riscv64.
        var (grubRelease, systemRelease, systemPackages) = architecture.IsInDebian12
            ? (host.Codename, SystemRelease, SystemPackageNames)
            : (FirmwareRelease, FirmwareRelease, NewerSystemPackageNames);
        await apt.EnsureAsync(grubRelease, [$"grub-efi-{architecture.Debian}-bin", .. architecture.HasBios ? ["grub-pc-bin"] : Array.Empty<string>()], progress, cancellation);
        var kernel = await apt.KernelPackageAsync(systemRelease, progress, cancellation);
        await apt.EnsureAsync(systemRelease, [.. systemPackages, kernel, .. further], progress, cancellation);

        var version = kernel["linux-image-".Length..];
        var system = apt.Unpacked(systemRelease);
        var dependencies = Path.Combine(system, "lib/modules", version, "modules.dep");
        // Kernel packages carry no modules.dep: their installation makes it.
        if (!File.Exists(dependencies)) await HostProgram.RunAsync("depmod", ["-b", system, version], cancellation);
        return new DemoParts(
            UBoot: Path.Combine(apt.Unpacked(FirmwareRelease), "usr/lib/u-boot"),
            Ipxe: Path.Combine(apt.Unpacked(FirmwareRelease), "usr/lib/ipxe"),
            Grub: Path.Combine(apt.Unpacked(grubRelease), "usr/lib/grub", architecture.GrubFormat),
            GrubBios: architecture.HasBios ? Path.Combine(apt.Unpacked(grubRelease), "usr/lib/grub/i386-pc") : null,
            System: system,
            KernelVersion: version,
            Versions: [.. apt.Versions()]);
    }
}
