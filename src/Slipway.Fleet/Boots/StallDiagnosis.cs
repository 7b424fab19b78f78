namespace Slipway.Fleet.Boots;

/// <summary>When a run counts as stalled, and the likely cause: what the next stage needs and did not get.</summary>
public static class StallDiagnosis
{
    /// <summary>
    /// How long a run may stand still. After a refusal a machine either retries at once or never, so that is shorter;
    /// an operating system that unpacks its initial RAM disk is silent for long on a slow board.
    /// </summary>
    public static TimeSpan Patience(Boot boot) => boot.Refusal is not null
        ? TimeSpan.FromSeconds(15)
        : boot.Stage switch
        {
            BootStage.Kernel or BootStage.Root => TimeSpan.FromMinutes(3),
            _ => TimeSpan.FromSeconds(60),
        };

    /// <summary>One sentence on why the run stands where it stands, and the page that says how to find out.</summary>
    public static string LikelyCause(Boot boot)
    {
        if (boot.Refusal is { } refusal)
            return refusal.Text;
        return boot.Stage switch
        {
            BootStage.Dhcp => "the machine has an address but fetched nothing: its firmware took another server's offer, "
                + "found no boot file for its architecture, or cannot reach this server (slipway explain SLP1001)",
            BootStage.Tftp => "the machine fetched iPXE but asked for no script: iPXE did not start, has no driver for the "
                + "network card (try snponly.efi), or does not trust this site's CA (slipway explain SLP1002)",
            BootStage.Script => "the machine has its script but did not reach its disk: port 3260 is filtered, or the "
                + "script took another branch (slipway explain SLP1004)",
            BootStage.SanLogin => "the disk is attached but nothing reads it: the firmware does not see iPXE's disk, or "
                + "iPXE was told not to boot from it (slipway explain SLP1006)",
            BootStage.Partition => "the disk was read but no boot loader on it: it has no partition table, or no EFI system "
                + "partition with EFI/BOOT/BOOT*.EFI for this architecture (slipway explain SLP1007)",
            BootStage.Loader => "the boot loader runs but reads no kernel: look at its configuration on the disk (slipway explain SLP1008)",
            BootStage.Kernel => "the kernel was read but its own initiator did not log in: no network driver, or no iSCSI "
                + "parameters in the iBFT or the kernel arguments (slipway explain SLP1009)",
            BootStage.OsLogin => "the operating system has its disk but does not read its root file system: look at root= "
                + "and the initial RAM disk (slipway explain SLP1010)",
            BootStage.Root => "the root file system is in use but the machine did not report that it is up: a service "
                + "hangs, or nothing on it calls /boot/up (slipway explain SLP1011)",
            BootStage.Up => "the machine is up",
            _ => throw new ArgumentOutOfRangeException(nameof(boot)),
        };
    }
}
