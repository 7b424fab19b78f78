using System.Net;
using Slipway.Fleet.Machines;

namespace Slipway.Server.Machines;

/// <summary>The kernel's IPv4 neighbours (proc(5), <c>/proc/net/arp</c>). Empty on systems without it.</summary>
internal static class NeighbourTable
{
    private const string File = "/proc/net/arp";

    public static MacAddress? Find(IPAddress address)
    {
        if (!System.IO.File.Exists(File))
            return null;
        var wanted = address.ToString();
        // IP address, HW type, Flags, HW address, Mask, Device; flag 0x2 is a complete entry.
        foreach (var line in System.IO.File.ReadLines(File).Skip(1))
        {
            if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var ip, _, var flags, var mac, ..]
                && ip == wanted && flags != "0x0" && MacAddress.TryParse(mac, null, out var found))
                return found;
        }
        return null;
    }
}
