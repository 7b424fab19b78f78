namespace Slipway.Fleet.Boots;

/// <summary>
/// How far a machine is on its way up. A stage is entered when its first evidence reaches the server; the order is the
/// order of the chain.
/// </summary>
public enum BootStage
{
    /// <summary>The machine, or its firmware, asked for an address.</summary>
    Dhcp,

    /// <summary>It fetches iPXE. Absent where iPXE is on the machine's own media.</summary>
    Tftp,

    /// <summary>iPXE verified the server's certificate and asks for its script.</summary>
    Script,

    /// <summary>iPXE logs in to its disk.</summary>
    SanLogin,

    /// <summary>The firmware, with iPXE as its disk driver, reads the partition table.</summary>
    Partition,

    /// <summary>The boot loader is read.</summary>
    Loader,

    /// <summary>The kernel or its initial RAM disk is read.</summary>
    Kernel,

    /// <summary>The operating system's own initiator logs in to the disk.</summary>
    OsLogin,

    /// <summary>The operating system reads its root file system.</summary>
    Root,

    /// <summary>The machine says that it is up.</summary>
    Up,
}

public static class BootStageNames
{
    private static readonly string[] Names =
        ["dhcp", "tftp", "script", "san-login", "partition", "loader", "kernel", "os-login", "root", "up"];

    /// <summary>The stage as users see it everywhere: command line, log, API.</summary>
    public static string Name(this BootStage stage) => Names[(int)stage];
}
