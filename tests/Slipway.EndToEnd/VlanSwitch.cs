using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Slipway.Server.Tests.Net;

namespace Slipway.EndToEnd;

/// <summary>
/// A switch with one trunk port, to which a QEMU machine is plugged, and access ports that are interfaces of this host, so
/// that machines can tag (IEEE 802.1Q) whose host's kernel cannot. Frames with a tag go to the port of that VLAN without it;
/// frames without, to the port of none. Others are dropped.
/// </summary>
internal sealed partial class VlanSwitch : IDisposable
{
    private const ushort TagProtocol = 0x8100;
    private const int Addresses = 12, TagLength = 4, LongestFrame = 1 << 16;
    private const ushort VlanMask = 0x0FFF;

    private readonly NetworkNamespace _network;
    private readonly Socket _trunk = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly string _here, _machine;
    private readonly Dictionary<ushort, SafeFileHandle> _ports = [];

    public VlanSwitch(NetworkNamespace network, string folder)
    {
        _network = network;
        (_here, _machine) = (Path.Combine(folder, "switch"), Path.Combine(folder, "machine"));
        _trunk.Bind(new UnixDomainSocketEndPoint(_here));
    }

    /// <summary>For QEMU's <c>-netdev</c>: the machine's end of the cable, called <c>n0</c>.</summary>
    public string Cable => $"dgram,id=n0,local.type=unix,local.path={_machine},remote.type=unix,remote.path={_here}";

    /// <summary>An access port: an interface with this address. Before <see cref="Start"/>.</summary>
    /// <param name="vlan">0: what the trunk carries without a tag.</param>
    public void AddPort(string name, string address, ushort vlan = 0)
    {
        _network.Ip("tuntap", "add", "dev", name, "mode", "tap");
        _ports.Add(vlan, _network.Run(() => OpenTap(name)));
        _network.Ip("addr", "add", address, "dev", name);
        _network.Ip("link", "set", name, "up");
    }

    public void Start()
    {
        Run(FromTrunk);
        foreach (var (vlan, port) in _ports)
            Run(() => FromPort(vlan, port));

        // They end with the socket and with the interfaces, which go with their namespace.
        static void Run(Action loop) => new Thread(() => loop()) { IsBackground = true }.Start();
    }

    public void Dispose()
    {
        _trunk.Dispose();
        foreach (var port in _ports.Values)
            port.Dispose();
    }

    private void FromTrunk()
    {
        var frame = new byte[LongestFrame];
        while (TryReceive(frame) is var length and > 0)
        {
            var received = frame.AsSpan(0, length);
            ushort vlan = 0;
            if (length > Addresses + TagLength && BinaryPrimitives.ReadUInt16BigEndian(received[Addresses..]) == TagProtocol)
            {
                vlan = (ushort)(BinaryPrimitives.ReadUInt16BigEndian(received[(Addresses + 2)..]) & VlanMask);
                received[..Addresses].CopyTo(received[TagLength..]);
                received = received[TagLength..];
            }
            if (_ports.TryGetValue(vlan, out var port))
                _ = Write(port, received, received.Length);
        }
    }

    private void FromPort(ushort vlan, SafeFileHandle port)
    {
        var frame = new byte[LongestFrame];
        var machine = new UnixDomainSocketEndPoint(_machine);
        // Room for the tag is kept before the frame.
        while (Read(port, frame.AsSpan(TagLength), LongestFrame - TagLength) is var length and > 0)
        {
            var sent = frame.AsSpan(TagLength, (int)length);
            if (vlan != 0)
            {
                sent = frame.AsSpan(0, (int)length + TagLength);
                sent.Slice(TagLength, Addresses).CopyTo(sent);
                BinaryPrimitives.WriteUInt16BigEndian(sent[Addresses..], TagProtocol);
                BinaryPrimitives.WriteUInt16BigEndian(sent[(Addresses + 2)..], vlan);
            }
            try
            {
                _trunk.SendTo(sent, machine);
            }
            catch (SocketException)
            {
                // No machine is plugged in yet, or none any more.
            }
            catch (ObjectDisposedException)
            {
                return;
            }
        }
    }

    private int TryReceive(byte[] frame)
    {
        try
        {
            return _trunk.Receive(frame);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return 0;
        }
    }

    // Linux, Documentation/networking/tuntap.rst.
    private static SafeFileHandle OpenTap(string name)
    {
        const ulong SetInterface = 0x400454CA;
        const short Tap = 0x0002, NoPacketInformation = 0x1000;
        var file = File.OpenHandle("/dev/net/tun", FileMode.Open, FileAccess.ReadWrite);
        var request = new byte[40];
        Encoding.ASCII.GetBytes(name, request);
        MemoryMarshal.Write(request.AsSpan(16), (short)(Tap | NoPacketInformation));
        return Control(file, SetInterface, request) == 0
            ? file
            : throw new InvalidOperationException($"{name} cannot be opened: errno {Marshal.GetLastPInvokeError()}");
    }

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(SafeFileHandle file, ulong request, byte[] argument);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(SafeFileHandle file, Span<byte> buffer, nint count);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(SafeFileHandle file, ReadOnlySpan<byte> buffer, nint count);
}
