using System.Runtime.InteropServices;

namespace Slipway.Server;

/// <summary>
/// File descriptors that are kept from peers. The runtime opens files of its own at any moment (an assembly, at the first call
/// into it) and ends the process with "Out of memory" where it cannot, so that the last ones must never go to a connection.
/// </summary>
internal sealed partial class DescriptorReserve
{
    private const int OpenFiles = 7;   // RLIMIT_NOFILE, getrlimit(2)

    /// <summary>An eighth of the limit is kept, within these bounds: machines that boot open volumes.</summary>
    private const long Least = 32, Most = 512;

    private DescriptorReserve(long limit)
    {
        Limit = limit;
        ForPeers = limit - Math.Clamp(limit / 8, Least, Most);
    }

    /// <summary>Of the process when it looked.</summary>
    public long Limit { get; }

    /// <summary>Descriptors from this number on are kept.</summary>
    public long ForPeers { get; }

    public static DescriptorReserve OfProcess() =>
        new(OperatingSystem.IsLinux() && getrlimit(OpenFiles, out var limit) == 0 ? (long)Math.Min(limit.Soft, int.MaxValue) : int.MaxValue);

    /// <summary>Whether only kept descriptors are left. <paramref name="open"/>: any descriptor that is open.</summary>
    public bool IsAllThatIsLeft(SafeHandle open)
    {
        if (Limit == int.MaxValue)
            return false;
        // The lowest number that is free is given (dup(2)), so it tells whether any below the reserve is.
        var lowest = dup(open);
        if (lowest >= 0)
            _ = close(lowest);
        return lowest < 0 || lowest >= ForPeers;
    }

    [LibraryImport("libc")]
    private static partial int getrlimit(int resource, out ResourceLimit limit);

    [LibraryImport("libc")]
    private static partial int dup(SafeHandle file);

    [LibraryImport("libc")]
    private static partial int close(int file);

    private struct ResourceLimit
    {
        public ulong Soft;
        public ulong Hard;
    }
}
