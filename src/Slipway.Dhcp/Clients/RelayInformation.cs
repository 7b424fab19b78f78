using System.Net;
using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.Clients;

/// <summary>Option 82 as a relay added it (RFC 3046). <see cref="Option"/> goes back unchanged (§2.2).</summary>
public sealed record RelayInformation(
    ReadOnlyMemory<byte> Option,
    ReadOnlyMemory<byte> CircuitId,
    ReadOnlyMemory<byte> RemoteId,
    IPAddress? LinkSelection,
    IPAddress? ServerIdentifierOverride)
{
    private const byte CircuitIdCode = 1;
    private const byte RemoteIdCode = 2;
    private const byte LinkSelectionCode = 5; // RFC 3527
    private const byte ServerIdentifierOverrideCode = 11; // RFC 5107

    /// <summary>Null where there is no option 82. Inside a malformed one nothing is believed, yet it is echoed.</summary>
    public static RelayInformation? From(DhcpOptions options)
    {
        if (options.Find(OptionCode.RelayAgentInformation) is not { } option)
            return null;
        if (!SubOptions.TryRead(option, padded: false, out var values))
            values = [];
        return new RelayInformation(option, Find(CircuitIdCode), Find(RemoteIdCode), Address(LinkSelectionCode), Address(ServerIdentifierOverrideCode));

        ReadOnlyMemory<byte> Find(byte code) => values.FirstOrDefault(v => v.Code == code).Value;
        IPAddress? Address(byte code) => Find(code) is { Length: 4 } v ? new IPAddress(v.Span) : null;
    }
}
