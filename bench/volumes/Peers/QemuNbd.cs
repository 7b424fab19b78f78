using System.Net.Sockets;
using Slipway.Bench.Peers;

namespace Slipway.Bench.Volumes.Peers;

/// <summary>
/// QEMU's own qcow2, served by its own server. By a socket of the file system: by TCP its client waits 80 ms for each
/// batch of writes, which says nothing about qcow2.
/// </summary>
internal sealed class QemuNbd(string disk, string socket)
    : Peer(new Address(0, "", 0), new UnixDomainSocketEndPoint(socket), "qemu-nbd", "--persistent", "-f", "qcow2", "-k", socket, disk)
{
    public string Url => $"nbd+unix:///?socket={socket}";
}
