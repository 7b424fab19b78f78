using System.Buffers.Binary;
using System.Net;
using System.Text;
using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.Clients;

/// <summary>What a message tells about its sender. Nothing of it is proven: DHCP has no authentication.</summary>
public sealed record DhcpClient
{
    public required HardwareAddress Hardware { get; init; }

    /// <summary>Option 61; empty where absent.</summary>
    public ReadOnlyMemory<byte> ClientId { get; init; }

    public ClientKind Kind { get; init; }

    public ClientArchitecture? Architecture { get; init; }

    public BootPlatform Platform { get; internal init; }

    /// <summary>Option 60.</summary>
    public string? VendorClass { get; init; }

    /// <summary>Option 77.</summary>
    public string? UserClass { get; init; }

    /// <summary>Option 97.</summary>
    public Guid? Uuid { get; init; }

    public string? HostName { get; init; }

    public IpxeFeatures IpxeFeatures { get; init; } = IpxeFeatures.None;

    /// <summary>giaddr; 0.0.0.0 where the client is on this link.</summary>
    public IPAddress RelayAddress { get; init; } = IPAddress.Any;

    public RelayInformation? Relay { get; init; }

    public bool IsIpxe => Kind == ClientKind.Ipxe;

    /// <summary>It said PXEClient, so it expects that back, and PXE's options.</summary>
    public bool SpeaksPxe => VendorClass?.StartsWith("PXEClient", StringComparison.Ordinal) == true;

    public static DhcpClient From(DhcpMessage message)
    {
        var options = message.Options;
        var vendorClass = options.Text(OptionCode.VendorClass);
        var userClass = UserClassOf(options);
        var features = IpxeFeatures.From(options);
        var architecture = ArchitectureOf(options, vendorClass);
        var client = new DhcpClient
        {
            Hardware = message.Hardware,
            ClientId = options.Find(OptionCode.ClientIdentifier) ?? default,
            Kind = KindOf(vendorClass, userClass, features, architecture),
            Architecture = architecture,
            VendorClass = vendorClass,
            UserClass = userClass,
            Uuid = UuidOf(options),
            HostName = options.Text(OptionCode.HostName),
            IpxeFeatures = features,
            RelayAddress = message.RelayAddress,
            Relay = RelayInformation.From(options),
        };
        return client with
        {
            Platform = FirmwareQuirks.Has(client, FirmwareQuirk.SaysBiosOnArm64) ? BootPlatform.Arm64Uefi : architecture?.Platform() ?? BootPlatform.Unknown,
            Uuid = FirmwareQuirks.Has(client, FirmwareQuirk.HasNoUuid) ? null : client.Uuid,
        };
    }

    // iPXE calls itself PXEClient too: its user class, or option 175, decides. Taking it for plain firmware would send it
    // iPXE again, for ever.
    private static ClientKind KindOf(string? vendorClass, string? userClass, IpxeFeatures features, ClientArchitecture? architecture)
    {
        if (userClass is "iPXE" or "gPXE" || features.Present)
            return ClientKind.Ipxe;
        if (vendorClass?.StartsWith("HTTPClient", StringComparison.Ordinal) == true)
            return ClientKind.HttpFirmware;
        if (vendorClass?.StartsWith("PXEClient", StringComparison.Ordinal) == true)
            return ClientKind.Firmware;
        return architecture is not null || vendorClass?.StartsWith("U-Boot", StringComparison.Ordinal) == true
            ? ClientKind.Firmware
            : ClientKind.Host;
    }

    // Option 93 is a list, the best first. Firmware that omits it names the number in "PXEClient:Arch:00007:UNDI:003016".
    private static ClientArchitecture? ArchitectureOf(DhcpOptions options, string? vendorClass)
    {
        if (options.Find(OptionCode.ClientArchitecture) is { Length: >= 2 } v)
            return (ClientArchitecture)BinaryPrimitives.ReadUInt16BigEndian(v.Span);
        return vendorClass?.Split(':') is [_, "Arch", var number, ..] && ushort.TryParse(number, out var architecture)
            ? (ClientArchitecture)architecture
            : null;
    }

    // RFC 3004 frames each class with its length; iPXE and many others send the bare text.
    private static string? UserClassOf(DhcpOptions options)
    {
        if (options.Find(OptionCode.UserClass) is not { IsEmpty: false } v)
            return null;
        var value = v.Span[0] == v.Length - 1 ? v[1..] : v;
        return DhcpOptions.PrintableText(value.Span);
    }

    // Type 0 and 16 bytes (RFC 4578 §2.3), in the mixed byte order of SMBIOS that Guid has too.
    private static Guid? UuidOf(DhcpOptions options) =>
        options.Find(OptionCode.ClientMachineIdentifier) is { Length: 17 } v && v.Span[0] == 0 ? new Guid(v.Span[1..]) : null;

    /// <summary>One line for a person.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        text.Append(Hardware);
        if (Kind != ClientKind.Host)
            text.Append(' ').Append(Kind == ClientKind.Ipxe ? "iPXE" : VendorClass ?? "firmware");
        if (Architecture is { } a)
            text.Append(' ').Append(a);
        if (!RelayAddress.Equals(IPAddress.Any))
            text.Append(" by relay ").Append(RelayAddress);
        return text.ToString();
    }
}
