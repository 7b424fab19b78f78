using System.Runtime.InteropServices;

namespace Slipway.Server.Diagnosis;

internal static partial class ClockCheck
{
    // adjtimex(2): what it returns where nothing keeps the clock right.
    private const int TimeError = 5;

    // struct timex has 208 bytes on the platforms with 64 bits.
    private const int TimexSize = 256;

    public static IEnumerable<Finding> Clock()
    {
        var timex = new byte[TimexSize];
        var now = DateTime.UtcNow;
        yield return adjtimex(timex) == TimeError
            ? new("clock", Health.Warning, $"nothing keeps it right; it says {now:u}", "run systemd-timesyncd or chrony: certificates are judged by the clock, here and in machines (slipway explain SLP2003)")
            : new("clock", Health.Ok, $"it is synchronised, and says {now:u}");
    }

    [LibraryImport("libc")]
    private static partial int adjtimex(byte[] timex);
}
