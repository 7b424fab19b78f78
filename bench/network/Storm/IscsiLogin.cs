using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Slipway.Iscsi.Chap;

namespace Slipway.Bench.Network.Storm;

/// <summary>A login as iPXE does it: security with mutual CHAP (MD5), then the operational keys, then the session is there.</summary>
internal sealed class IscsiLogin(IPAddress from, IscsiAccess access) : IDisposable
{
    private const int Header = 48;
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _isid = [0x80, .. RandomNumberGenerator.GetBytes(5)];
    private ushort _tsih;

    public async Task RunAsync(CancellationToken cancellation)
    {
        _socket.Bind(new IPEndPoint(from, 0));
        await _socket.ConnectAsync(access.Portal, cancellation);
        await AskAsync(0x00, [$"InitiatorName={access.Initiator}", $"TargetName={access.Target}", "SessionType=Normal", "AuthMethod=CHAP,None"], cancellation);
        var challenge = await AskAsync(0x00, ["CHAP_A=5"], cancellation);
        var mine = RandomNumberGenerator.GetBytes(16);
        var identifier = byte.Parse(Key(challenge, "CHAP_I"), System.Globalization.CultureInfo.InvariantCulture);
        var response = ChapHash.Respond(ChapAlgorithm.Md5, identifier, access.Secret, Convert.FromHexString(Key(challenge, "CHAP_C").AsSpan(2)));
        var proof = await AskAsync(0x81,
            [$"CHAP_N={access.User}", $"CHAP_R=0x{Convert.ToHexString(response)}", "CHAP_I=7", $"CHAP_C=0x{Convert.ToHexString(mine)}"], cancellation);
        var expected = ChapHash.Respond(ChapAlgorithm.Md5, 7, access.ReverseSecret, mine);
        if (Key(proof, "CHAP_N") != access.ReverseUser || !Convert.FromHexString(Key(proof, "CHAP_R").AsSpan(2)).AsSpan().SequenceEqual(expected))
            throw new InvalidDataException("the target does not know its secret");
        await AskAsync(0x87, ["HeaderDigest=None", "DataDigest=None", "InitialR2T=Yes", "ImmediateData=No", "MaxRecvDataSegmentLength=8192", "ErrorRecoveryLevel=0"], cancellation);
    }

    public void Dispose() => _socket.Dispose();

    // One login request and its response (RFC 7143 §11.12, §11.13).
    private async Task<string[]> AskAsync(byte flags, string[] keys, CancellationToken cancellation)
    {
        var data = Encoding.ASCII.GetBytes(string.Concat(keys.Select(k => k + "\0")));
        var pdu = new byte[Header + ((data.Length + 3) & ~3)];
        pdu[0] = 0x43;
        pdu[1] = flags;
        BinaryPrimitives.WriteInt32BigEndian(pdu.AsSpan(4), data.Length);
        _isid.CopyTo(pdu, 8);
        BinaryPrimitives.WriteUInt16BigEndian(pdu.AsSpan(14), _tsih);
        pdu[19] = 1;
        data.CopyTo(pdu, Header);
        await _socket.SendAsync(pdu, SocketFlags.None, cancellation);

        var head = await ReceiveAsync(Header, cancellation);
        if (head[0] != 0x23 || head[36] != 0)
            throw new InvalidDataException($"login refused: status {head[36]:x2}{head[37]:x2}");
        _tsih = BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(14));
        var length = BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(4)) & 0xFFFFFF;
        var text = await ReceiveAsync((length + 3) & ~3, cancellation);
        return Encoding.ASCII.GetString(text, 0, length).Split('\0', StringSplitOptions.RemoveEmptyEntries);
    }

    private async Task<byte[]> ReceiveAsync(int length, CancellationToken cancellation)
    {
        var bytes = new byte[length];
        for (var done = 0; done < length;)
        {
            var received = await _socket.ReceiveAsync(bytes.AsMemory(done), SocketFlags.None, cancellation);
            if (received == 0)
                throw new InvalidDataException("the target closed the connection");
            done += received;
        }
        return bytes;
    }

    private static string Key(string[] keys, string name) =>
        keys.FirstOrDefault(k => k.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..] ?? throw new InvalidDataException($"no {name} in {string.Join(' ', keys)}");
}
