namespace Slipway.Dhcp.Wire;

/// <summary>DHCP options this server reads or writes (RFC 2132 unless another is named).</summary>
public enum OptionCode : byte
{
    Pad = 0,
    SubnetMask = 1,
    Router = 3,
    DomainNameServer = 6,
    LogServer = 7,
    HostName = 12,
    DomainName = 15,
    RootPath = 17,
    InterfaceMtu = 26,
    BroadcastAddress = 28,
    NtpServers = 42,
    VendorSpecific = 43,
    RequestedAddress = 50,
    LeaseTime = 51,
    Overload = 52,
    MessageType = 53,
    ServerIdentifier = 54,
    ParameterRequestList = 55,
    Message = 56,
    MaximumMessageSize = 57,
    RenewalTime = 58,
    RebindingTime = 59,
    VendorClass = 60,
    ClientIdentifier = 61,
    TftpServerName = 66,
    BootFileName = 67,

    /// <summary>RFC 3004.</summary>
    UserClass = 77,

    /// <summary>RFC 3046.</summary>
    RelayAgentInformation = 82,

    /// <summary>RFC 4578.</summary>
    ClientArchitecture = 93,

    /// <summary>RFC 4578.</summary>
    ClientNetworkInterface = 94,

    /// <summary>RFC 4578.</summary>
    ClientMachineIdentifier = 97,

    /// <summary>RFC 3011.</summary>
    SubnetSelection = 118,

    /// <summary>RFC 3442.</summary>
    ClasslessStaticRoute = 121,

    /// <summary>Etherboot's encapsulated options, which iPXE kept.</summary>
    Ipxe = 175,

    End = 255,
}
