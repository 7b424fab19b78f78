using Slipway.Bench.Peers;

namespace Slipway.Bench.Volumes.Peers;

/// <summary>QEMU's own qcow2, served by its own server.</summary>
internal sealed class QemuNbd(string disk) : Peer(Place, "qemu-nbd", "--persistent", "-f", "qcow2", "-b", "127.0.0.1", "-p", $"{Place.Port}", disk)
{
    private static readonly Address Place = new(14500, "", 0);

    public static string Url => $"nbd://127.0.0.1:{Place.Port}";
}
