namespace Slipway.Ipxe.UBoot;

/// <summary>
/// How a board with U-Boot starts iPXE, which is an EFI program: <c>load</c> from its own medium and <c>bootefi</c>, so that iPXE
/// finds <c>autoexec.ipxe</c> beside itself; where there is none, DHCP and TFTP.
/// </summary>
/// <param name="Name">What <c>--for</c> calls it.</param>
/// <param name="BootFile">Under <c>/EFI/BOOT</c> of the medium.</param>
/// <param name="TftpFile">As the server calls it.</param>
public sealed record UBootBoard(string Name, string BootFile, string TftpFile)
{
    public static IReadOnlyList<UBootBoard> All { get; } =
    [
        new("arm64", "BOOTAA64.EFI", "ipxe-arm64.efi"),
        new("riscv64", "BOOTRISCV64.EFI", "ipxe-riscv64.efi"),
        new("x86_64", "BOOTX64.EFI", "ipxe-amd64.efi"),
    ];

    // bootargs is what iPXE takes as its command line: what the board had there for Linux must not reach it.
    private string FromMedium =>
        $"if load ${{devtype}} ${{devnum}}:${{distro_bootpart}} ${{kernel_addr_r}} /EFI/BOOT/{BootFile}; then setenv bootargs; bootefi ${{kernel_addr_r}}; fi";

    // iPXE drops the first word. With a command line it does not stop at its prompt, where it would sleep for ever.
    private string FromNetwork(Uri server) =>
        $"setenv autoload no; if dhcp; then if tftpboot ${{kernel_addr_r}} {server.Host}:{TftpFile}; then "
        + $"setenv bootargs 'ipxe dhcp && chain {new Uri(server, "boot/").AbsoluteUri}${{mac:hexhyp}}'; bootefi ${{kernel_addr_r}}:${{filesize}}; fi; fi";

    /// <summary>What becomes <c>boot.scr</c>: U-Boot says where it found the script; a <c>source</c> by hand may not.</summary>
    public string Script(Uri server) =>
        $"""
        # Slipway: iPXE from this medium, else from {server.Host}.
        if test -z "${"{devtype}"}"; then setenv devtype mmc; fi
        if test -z "${"{devnum}"}"; then setenv devnum 0; fi
        if test -z "${"{distro_bootpart}"}"; then setenv distro_bootpart 1; fi
        {FromMedium}
        {FromNetwork(server)}

        """;

    /// <summary>Variables for <c>env import -t</c>.</summary>
    /// <param name="device">As U-Boot calls the medium: <c>mmc 0:1</c>.</param>
    public string Environment(Uri server, UBootDevice device) =>
        $"""
        devtype={device.Type}
        devnum={device.Number}
        distro_bootpart={device.Partition}
        slipway_medium={FromMedium}
        slipway_net={FromNetwork(server)}
        slipway=run slipway_medium; run slipway_net
        localcmd=run slipway
        bootcmd=run slipway

        """;

    /// <summary>U-Boot's extlinux starts Linux and nothing else, but a <c>localboot</c> entry runs the variable <c>localcmd</c>.</summary>
    public static string Extlinux { get; } =
        """
        # slipway.env has to be imported first: it sets localcmd.
        menu title Slipway
        default slipway
        timeout 10
        label slipway
          menu label iPXE
          localboot 1

        """;
}

/// <summary>A partition as U-Boot names it.</summary>
public sealed record UBootDevice(string Type, int Number, int Partition)
{
    /// <summary>Reads <c>mmc 0:1</c>; null where it is not of that form.</summary>
    public static UBootDevice? Parse(string text) =>
        text.Split(' ', ':') is [var type, var number, var partition] && type.Length > 0 && type.All(char.IsAsciiLetterOrDigit)
        && byte.TryParse(number, out var n) && byte.TryParse(partition, out var p)
            ? new(type, n, p)
            : null;
}
