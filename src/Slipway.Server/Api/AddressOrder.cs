using System.Net;

namespace Slipway.Server.Api;

/// <summary>Addresses in the order of their numbers, not of their text.</summary>
internal sealed class AddressOrder : IComparer<IPAddress>
{
    public static readonly AddressOrder Instance = new();

    public int Compare(IPAddress? x, IPAddress? y) => (x?.GetAddressBytes() ?? []).AsSpan().SequenceCompareTo(y?.GetAddressBytes() ?? []);
}
