namespace Slipway.Volumes;

/// <summary>Files that stand beside a disk's file and go where it goes: who moves the disk moves them too.</summary>
public static class BesideDisk
{
    /// <summary>Whether there is a place: what stands beside a device, in /dev, is gone when the host restarts.</summary>
    public static bool HasRoom(string disk) => !disk.StartsWith("/dev/", StringComparison.Ordinal);

    /// <summary>What initiators reserved for longer than the server runs.</summary>
    public static string Reservations(string disk) => disk + ".reservations.json";

    /// <summary>A write that a crash may have torn.</summary>
    public static string AtomicWrite(string disk) => disk + ".atomic";
}
