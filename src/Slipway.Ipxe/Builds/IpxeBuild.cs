namespace Slipway.Ipxe.Builds;

/// <summary>
/// What somebody who builds iPXE from source needs for this site: its headers under <c>src/config/local</c>, which iPXE
/// includes last, and the make line. Names that a version does not know do nothing in it; names that it has by
/// default may be said again.
/// </summary>
public static class IpxeBuild
{
    /// <summary>Where the headers go, under iPXE's <c>src</c>.</summary>
    public const string LocalFolder = "config/local";

    /// <summary>Programs that can be built, each with the prefix of a cross compiler.</summary>
    public static IReadOnlyList<IpxeTarget> Targets { get; } =
    [
        new("x86_64", "bin-x86_64-efi/ipxe.efi", "x86_64-linux-gnu-", Efi: true),
        new("arm64", "bin-arm64-efi/ipxe.efi", "aarch64-linux-gnu-", Efi: true),
        new("riscv64", "bin-riscv64-efi/ipxe.efi", "riscv64-linux-gnu-", Efi: true),
        new("bios", "bin/undionly.kpxe", "x86_64-linux-gnu-", Efi: false),
    ];

    /// <summary><c>general.h</c>: what a boot by HTTPS and iSCSI needs, and commands that scripts use.</summary>
    public static string General { get; } = Header("general.h",
        ("NET_PROTO_IPV6", "networks without IPv4; not in a BIOS build by default"),
        ("DOWNLOAD_PROTO_HTTPS", "scripts by HTTPS"),
        ("SANBOOT_PROTO_ISCSI", "the disk"),
        ("SANBOOT_CMD", "sanboot, sanhook"),
        ("VLAN_CMD", "vcreate, for storage on a VLAN of its own"),
        ("NTP_CMD", "ntp, for boards without a clock"),
        ("NSLOOKUP_CMD", "nslookup"),
        ("PING_CMD", "ping"),
        ("REBOOT_CMD", "reboot, in the first script"),
        ("POWEROFF_CMD", "poweroff"),
        ("IMAGE_TRUST_CMD", "imgtrust and imgverify"),
        ("CERT_CMD", "certstat, certstore, certfree"));

    /// <summary><c>console.h</c>: messages to the syslog server that DHCP or a script names.</summary>
    public static string Console { get; } = Header("console.h", ("CONSOLE_SYSLOG", "messages to ${syslog}"));

    /// <summary>
    /// <c>nap.h</c> for firmware without a timer interrupt, like U-Boot: iPXE would sleep and never wake. The names are those
    /// of before and after September 2024; taking back one that is not there is allowed. A BIOS has the interrupt.
    /// </summary>
    public static string Nap { get; } =
        "/* nap.h, by slipway firmware config */\n#ifndef NAP_PCBIOS\n#undef NAP_EFIX86\n#undef NAP_EFIARM\n#undef NAP_EFI\n#define NAP_NULL\n#endif\n";

    /// <summary>The command that builds one program, to be run in iPXE's <c>src</c>.</summary>
    /// <param name="script">What becomes part of the program and runs by itself.</param>
    /// <param name="root">The certificate that is trusted, and also built in, so that a server need not send it.</param>
    public static string MakeLine(IpxeTarget target, string script, string root) =>
        $"make {target.File} CROSS_COMPILE={target.Compiler} EMBED={Quoted(script)} CERT={Quoted(root)} TRUST={Quoted(root)}";

    private static string Header(string name, params (string Symbol, string Why)[] symbols) =>
        $"/* {name}, by slipway firmware config */\n" + string.Concat(symbols.Select(s => $"#undef {s.Symbol}\n#define {s.Symbol} /* {s.Why} */\n"));

    // The Makefile splits EMBED, CERT and TRUST at commas and blanks, whatever the shell's quotes say.
    private static string Quoted(string path) => path.AsSpan().IndexOfAnyExcept(Plain) < 0
        ? path
        : throw new ArgumentException($"'{path}': iPXE's Makefile takes paths of letters, digits and '/', '.', '_', '-' only", nameof(path));

    private static readonly System.Buffers.SearchValues<char> Plain =
        System.Buffers.SearchValues.Create("/._-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
}

/// <param name="Name">What <c>--for</c> calls it.</param>
/// <param name="File">Under iPXE's <c>src</c>.</param>
/// <param name="Compiler">The prefix of the compiler's name.</param>
public sealed record IpxeTarget(string Name, string File, string Compiler, bool Efi);
