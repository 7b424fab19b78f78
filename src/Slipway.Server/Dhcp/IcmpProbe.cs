using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Slipway.Server.Dhcp;

/// <summary>
/// Asks an address with an ICMP echo (RFC 792) whether somebody is there, as RFC 2131 §3.1 wants before an address is
/// given out for the first time. One raw socket serves all probes of an interface.
/// </summary>
public sealed class IcmpProbe : IAddressProbe, IAsyncDisposable
{
    private const byte EchoRequest = 8;
    private const byte EchoReply = 0;
    private const int HeaderLength = 8;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(400);

    private readonly Socket _socket;
    private readonly ConcurrentDictionary<IPAddress, TaskCompletionSource> _waiting = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly ushort _identifier = (ushort)Random.Shared.Next();
    private readonly Task _loop;
    private int _sequence;

    private IcmpProbe(Socket socket)
    {
        _socket = socket;
        _loop = Task.Run(ReceiveAsync);
    }

    /// <summary>Throws SocketException where raw sockets are not allowed (CAP_NET_RAW).</summary>
    public static IcmpProbe Open(string interfaceName) => new(SocketOptions.SetUp(new(AddressFamily.InterNetwork, SocketType.Raw, ProtocolType.Icmp), s =>
    {
        SocketOptions.BindToInterface(s, interfaceName);
        s.Bind(new IPEndPoint(IPAddress.Any, 0));
    }));

    public async Task<bool> AnswersAsync(IPAddress address, CancellationToken cancellation)
    {
        var answer = _waiting.GetOrAdd(address, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        try
        {
            _socket.SendTo(Request(), new IPEndPoint(address, 0));
            await answer.Task.WaitAsync(Patience, cancellation);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
        catch (SocketException)
        {
            // No route, or nobody answers ARP: an earlier probe's error. Either way nobody is there.
            return false;
        }
        finally
        {
            _waiting.TryRemove(address, out _);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _loop;
        _socket.Dispose();
        _stopping.Dispose();
    }

    private byte[] Request()
    {
        var packet = new byte[HeaderLength];
        packet[0] = EchoRequest;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), _identifier);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(6), (ushort)Interlocked.Increment(ref _sequence));
        uint sum = 0;
        for (var i = 0; i < HeaderLength; i += 2)
            sum += BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(i));
        sum = (sum & 0xFFFF) + (sum >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)~(sum + (sum >> 16)));
        return packet;
    }

    private async Task ReceiveAsync()
    {
        var buffer = new byte[1500];
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                var received = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), _stopping.Token);
                if (IsAnswer(buffer.AsSpan(0, received.ReceivedBytes))
                    && _waiting.TryGetValue(((IPEndPoint)received.RemoteEndPoint).Address, out var answer))
                    answer.TrySetResult();
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (SocketException)
            {
                // An error of an earlier send; its probe runs into its timeout.
            }
        }
    }

    // A raw socket delivers the IP header too.
    private bool IsAnswer(ReadOnlySpan<byte> packet)
    {
        if (packet.IsEmpty || packet.Length < (packet[0] & 0xF) * 4 + HeaderLength)
            return false;
        var icmp = packet[((packet[0] & 0xF) * 4)..];
        return icmp[0] == EchoReply && BinaryPrimitives.ReadUInt16BigEndian(icmp[4..]) == _identifier;
    }
}
