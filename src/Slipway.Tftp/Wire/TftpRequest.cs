using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Slipway.Tftp.Wire;

/// <summary>A read or write request (RFC 1350 §5) with its options (RFC 2347), names in lower case.</summary>
public sealed record TftpRequest(TftpOpcode Opcode, string Name, string Mode, IReadOnlyList<(string Name, string Value)> Options)
{
    /// <summary>RFC 2347 §2: a request has at most 512 bytes.</summary>
    public const int MaxLength = 512;

    /// <summary>False with the error to answer and the reason, which is for the peer and the log.</summary>
    public static bool TryRead(ReadOnlySpan<byte> packet, [NotNullWhen(true)] out TftpRequest? request, out TftpError error, out string reason)
    {
        request = null;
        error = TftpError.IllegalOperation;
        reason = "";
        if (packet.Length < 4)
        {
            reason = "a packet too short for a request";
            return false;
        }
        if (packet.Length > MaxLength)
        {
            reason = $"a request of {packet.Length} bytes; {MaxLength} are allowed";
            return false;
        }
        var opcode = (TftpOpcode)BinaryPrimitives.ReadUInt16BigEndian(packet);
        if (opcode is not (TftpOpcode.ReadRequest or TftpOpcode.WriteRequest))
        {
            reason = $"opcode {(ushort)opcode} is not a request";
            return false;
        }
        // Some firmware forgets the last NUL, some pads with more: neither changes what is asked.
        var strings = new List<string>();
        var rest = packet[2..].TrimEnd((byte)0);
        while (!rest.IsEmpty)
        {
            var end = rest.IndexOf((byte)0);
            strings.Add(Encoding.UTF8.GetString(end < 0 ? rest : rest[..end]));
            rest = end < 0 ? default : rest[(end + 1)..];
        }
        if (strings.Count < 2 || strings[0].Length == 0)
        {
            reason = "a request without file name and mode";
            return false;
        }
        var options = new List<(string, string)>();
        for (var i = 2; i + 1 < strings.Count; i += 2)
            options.Add((strings[i].ToLowerInvariant(), strings[i + 1]));
        request = new TftpRequest(opcode, strings[0], strings[1].ToLowerInvariant(), options);
        return true;
    }
}
