using System.Security.Cryptography;
using System.Text;

namespace Slipway.Scsi;

/// <summary>
/// What INQUIRY says of a unit. The designator is a function of the volume's id alone, so a volume keeps its
/// identity across restarts, targets and hosts.
/// </summary>
public sealed class UnitIdentity
{
    public UnitIdentity(
        string volumeId, string product = "Volume", string vendor = "SLIPWAY", string revision = "1.0", string? serial = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(volumeId);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(volumeId), hash);

        // SPC-4 §7.8.6.6.4: NAA 3h, locally assigned. The registered kinds need an OUI of one's own.
        var naa = hash[..8].ToArray();
        naa[0] = (byte)(0x30 | (naa[0] & 0x0F));
        Naa = naa;
        Serial = serial ?? Convert.ToHexStringLower(hash[..16]);
        Vendor = vendor;
        Product = product;
        Revision = revision;
        Require(Vendor, 8, nameof(vendor));
        Require(Product, 16, nameof(product));
        Require(Revision, 4, nameof(revision));
        Require(Serial, 252, nameof(serial));
    }

    /// <summary>T10 vendor identification, at most 8 printable ASCII characters.</summary>
    public string Vendor { get; }

    /// <summary>Product identification, at most 16.</summary>
    public string Product { get; }

    /// <summary>Product revision level, at most 4.</summary>
    public string Revision { get; }

    /// <summary>Unit serial number (VPD page 80h), at most 252.</summary>
    public string Serial { get; }

    /// <summary>The NAA designator of VPD page 83h, eight bytes.</summary>
    public ReadOnlyMemory<byte> Naa { get; }

    /// <summary>SPC-4 §4.3.1: ASCII graphic codes only, left-aligned, padded with spaces.</summary>
    internal static void WritePadded(string text, Span<byte> destination)
    {
        destination.Fill((byte)' ');
        Encoding.ASCII.GetBytes(text, destination);
    }

    private static void Require(string text, int limit, string parameter)
    {
        if (text.Length > limit || text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            throw new ArgumentException($"'{text}' must be at most {limit} printable ASCII characters.", parameter);
    }
}
