using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Slipway.Dhcp.Server;
using Slipway.Dhcp.Wire;

namespace Slipway.Server.Dhcp;

/// <summary>
/// Watches a link for other DHCP servers: hears what is sent to clients there (UDP port 68, by a packet socket, since the
/// port may be a DHCP client's of this host), and asks at its start and from time to time whether anybody answers.
/// </summary>
public sealed partial class OtherServerWatch : IAsyncDisposable
{
    private const int MaxPacket = 1500;
    private const int UdpHeader = 8;
    private const int SolSocket = 1;
    private const int SoAttachFilter = 26;
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(10);
    private static readonly HardwareAddress Everybody = new(HardwareAddress.Ethernet, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]);

    private readonly string _interface;
    private readonly OtherServers _others;
    private readonly IDhcpObserver _observer;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Socket _socket;
    private readonly LinkLayerSender _sender;
    private readonly ITimer _timer;
    private readonly Task _loop;

    private OtherServerWatch(string interfaceName, OtherServers others, IDhcpObserver observer, TimeProvider clock, ILogger logger, Socket socket, LinkLayerSender sender)
    {
        _interface = interfaceName;
        _others = others;
        _observer = observer;
        _logger = logger;
        _socket = socket;
        _sender = sender;
        _loop = Task.Run(ReceiveAsync);
        _timer = clock.CreateTimer(_ => Ask(), null, TimeSpan.Zero, Pause);
    }

    /// <summary>Opens its sockets in the calling thread's network namespace. Null where packet sockets are not to be had (CAP_NET_RAW).</summary>
    /// <param name="own">This server's identifiers: answers with one of them are not another's.</param>
    public static OtherServerWatch? TryStart(string interfaceName, IReadOnlySet<IPAddress> own, IDhcpObserver observer, TimeProvider clock, ILogger logger)
    {
        if (LinkLayerSender.TryOpen(interfaceName) is not { } sender || PacketEndPoint.Of(interfaceName) is not { } link)
            return null;
        // Protocol 0 hears nothing until it is bound: to one interface, and behind its filter.
        var socket = new Socket(AddressFamily.Packet, SocketType.Dgram, 0);
        AttachFilter(socket);
        socket.Bind(link);
        return new OtherServerWatch(interfaceName, new OtherServers(own, clock), observer, clock, logger, socket, sender);
    }

    /// <summary>Asks once and listens for a while: the other servers of a link. Null where packet sockets are not to be had (CAP_NET_RAW).</summary>
    public static async Task<IReadOnlyList<IPAddress>?> FindAsync(
        string interfaceName, IReadOnlySet<IPAddress> own, TimeSpan patience, TimeProvider clock, ILogger logger, CancellationToken cancellation = default)
    {
        var heard = new Heard();
        if (TryStart(interfaceName, own, heard, clock, logger) is not { } watch)
            return null;
        await using (watch)
            await Task.Delay(patience, clock, cancellation);
        return [.. heard.Servers];
    }

    public async ValueTask DisposeAsync()
    {
        await _timer.DisposeAsync();
        await _stopping.CancelAsync();
        await _loop;
        _socket.Dispose();
        _sender.Dispose();
        _stopping.Dispose();
    }

    private void Ask()
    {
        var probe = OtherServers.Probe(PacketEndPoint.CardOf(_interface) ?? new HardwareAddress(HardwareAddress.Ethernet, [2, 0, 0, 0, 0, 1]), (uint)Random.Shared.Next());
        try
        {
            _sender.Send(probe, DhcpServer.ClientPort, IPAddress.Broadcast, DhcpServer.Port, Everybody, IPAddress.Any);
        }
        catch (SocketException e)
        {
            // The link is down, for one: there is nobody to ask.
            LogAskFailed(_interface, e.Message);
        }
    }

    private async Task ReceiveAsync()
    {
        var buffer = new byte[MaxPacket];
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                var length = await _socket.ReceiveAsync(buffer, SocketFlags.None, _stopping.Token);
                if (Payload(buffer.AsMemory(0, length), out var source) is { } payload && _others.Hear(payload.ToArray(), source, _interface) is { } e)
                {
                    LogOtherServer(_interface, e.Text);
                    _observer.Observe(e);
                }
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (SocketException e)
            {
                LogReceiveFailed(_interface, e.Message);
            }
        }
    }

    // What is behind IP's and UDP's headers. The filter has looked at the protocol and at the port.
    private static ReadOnlyMemory<byte>? Payload(ReadOnlyMemory<byte> packet, out IPAddress source)
    {
        var span = packet.Span;
        source = IPAddress.Any;
        if (span.Length < 20 || (span[0] & 0xF) * 4 is var header && span.Length < header + UdpHeader)
            return null;
        source = new IPAddress(span[12..16]);
        var length = BinaryPrimitives.ReadUInt16BigEndian(span[(header + 4)..]) - UdpHeader;
        return length < 0 || length > span.Length - header - UdpHeader ? null : packet.Slice(header + UdpHeader, length);
    }

    // A classic BPF program (bpf(4)), as `tcpdump -dd 'udp dst port 68'` writes it for a link without a header: UDP, the
    // first fragment, the port behind the header of IP's own length.
    private static unsafe void AttachFilter(Socket socket)
    {
        ReadOnlySpan<Instruction> program =
        [
            new(0x30, 0, 0, 9), // ldb [9]: protocol
            new(0x15, 0, 6, 17), // jeq UDP, else drop
            new(0x28, 0, 0, 6), // ldh [6]: fragment offset
            new(0x45, 4, 0, 0x1FFF), // jset: drop
            new(0xB1, 0, 0, 0), // ldxb 4*([0]&0xf)
            new(0x48, 0, 0, 2), // ldh [x+2]: destination port
            new(0x15, 0, 1, DhcpServer.ClientPort), // jeq 68, else drop
            new(0x06, 0, 0, MaxPacket), // accept
            new(0x06, 0, 0, 0), // drop
        ];
        fixed (Instruction* first = program)
        {
            var description = new Program { Length = (ushort)program.Length, First = first };
            socket.SetRawSocketOption(SolSocket, SoAttachFilter, new ReadOnlySpan<byte>(&description, sizeof(Program)));
        }
    }

    [LoggerMessage(2009, LogLevel.Warning, "dhcp {Interface}: {Text}")]
    private partial void LogOtherServer(string @interface, string text);

    [LoggerMessage(2010, LogLevel.Debug, "dhcp {Interface}: the question for other servers could not be sent: {Reason}")]
    private partial void LogAskFailed(string @interface, string reason);

    [LoggerMessage(2011, LogLevel.Debug, "dhcp {Interface}: listening for other servers failed: {Reason}")]
    private partial void LogReceiveFailed(string @interface, string reason);

    private sealed class Heard : IDhcpObserver
    {
        public ConcurrentBag<IPAddress> Servers { get; } = [];

        public void Observe(DhcpEvent dhcpEvent) => Servers.Add(dhcpEvent.Server!);
    }

    /// <summary>struct sock_filter.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Instruction(ushort Code, byte IfTrue, byte IfFalse, uint Value);

    /// <summary>struct sock_fprog.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct Program
    {
        public ushort Length;
        public Instruction* First;
    }
}
