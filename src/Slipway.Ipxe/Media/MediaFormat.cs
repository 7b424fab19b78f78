namespace Slipway.Ipxe.Media;

/// <summary>For what boot media are.</summary>
public enum MediaFormat
{
    /// <summary>A GPT: USB sticks, disks of virtual machines, U-Boot on such.</summary>
    Disk,

    /// <summary>An MBR, <c>boot.scr</c>, and room for the board's own loader: SD cards and eMMC.</summary>
    Sd,

    /// <summary>A CD, which is a disk with a GPT as well.</summary>
    Iso,
}

/// <summary>A board's own loader, which its ROM reads from a place of the medium.</summary>
public sealed record BoardLoader(long Offset, ReadOnlyMemory<byte> Content);
