namespace Slipway.Dhcp.V6.Wire;

/// <summary>RFC 8415 §21.13.</summary>
public enum Dhcp6StatusCode : ushort
{
    Success = 0,
    UnspecifiedFailure = 1,
    NoAddressesAvailable = 2,
    NoBinding = 3,
    NotOnLink = 4,
}
