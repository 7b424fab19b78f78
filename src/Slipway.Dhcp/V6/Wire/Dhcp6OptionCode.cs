namespace Slipway.Dhcp.V6.Wire;

/// <summary>RFC 8415 §21, unless another is named.</summary>
public enum Dhcp6OptionCode : ushort
{
    ClientIdentifier = 1,
    ServerIdentifier = 2,

    /// <summary>IA_NA.</summary>
    NonTemporaryAddresses = 3,

    IdentityAddress = 5,
    OptionRequest = 6,
    Preference = 7,
    RelayMessage = 9,
    StatusCode = 13,
    RapidCommit = 14,
    UserClass = 15,
    VendorClass = 16,
    InterfaceId = 18,

    /// <summary>RFC 3646.</summary>
    DnsServers = 23,

    /// <summary>RFC 3646.</summary>
    DomainList = 24,

    InformationRefreshTime = 32,

    /// <summary>RFC 5970 §3.1.</summary>
    BootFileUrl = 59,

    /// <summary>RFC 5970 §3.2.</summary>
    BootFileParameters = 60,

    /// <summary>RFC 5970 §3.3.</summary>
    ClientArchitecture = 61,

    /// <summary>RFC 5970 §3.4.</summary>
    NetworkInterface = 62,

    /// <summary>RFC 6939.</summary>
    ClientLinkLayerAddress = 79,
}
