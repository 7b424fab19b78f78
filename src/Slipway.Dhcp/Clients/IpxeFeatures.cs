using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.Clients;

/// <summary>What an iPXE was built with: the feature list inside option 175 (iPXE's include/ipxe/features.h).</summary>
public sealed record IpxeFeatures(bool Present, IReadOnlySet<byte> Codes)
{
    public const byte Http = 0x13;
    public const byte Https = 0x14;
    public const byte Iscsi = 0x11;
    public const byte Efi = 0x24;

    public static readonly IpxeFeatures None = new(false, new HashSet<byte>());

    public bool Has(byte feature) => Codes.Contains(feature);

    public static IpxeFeatures From(DhcpOptions options)
    {
        if (options.Find(OptionCode.Ipxe) is not { } option)
            return None;
        SubOptions.TryRead(option, padded: true, out var values);
        return new IpxeFeatures(true, values.Where(v => v.Value.Length > 0 && v.Value.Span[0] != 0).Select(v => v.Code).ToHashSet());
    }
}
