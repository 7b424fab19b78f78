using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Slipway.Ipxe.Binaries;

/// <summary>
/// Makes a stock iPXE trust one certificate authority. iPXE keeps the SHA-256 fingerprints of its roots as plain bytes
/// (<c>crypto/rootcert.c</c>); a stock build has one, the iPXE project's own. Putting another fingerprint in its place
/// changes nothing else, and needs no compiler.
/// </summary>
public static class TrustPatch
{
    /// <summary>SHA-256 of "iPXE root CA", which every build without TRUST= has.</summary>
    private static readonly byte[] StockRoot = Convert.FromHexString("9faf717b7f8ca2f93c256c79f8ac5591895d66d1ff3bee6397a70d29c65eed1a");

    /// <summary>SHA-256 of the certificate's DER, as iPXE computes it.</summary>
    public static byte[] FingerprintOf(X509Certificate2 root) => SHA256.HashData(root.RawData);

    /// <summary>A copy of <paramref name="file"/> that trusts <paramref name="fingerprint"/> instead of iPXE's own root.</summary>
    /// <exception cref="BinaryPatchException">The file is not one that can be patched; the message says why.</exception>
    public static byte[] Apply(ReadOnlySpan<byte> file, ReadOnlySpan<byte> fingerprint)
    {
        if (fingerprint.Length != 32) throw new ArgumentException("a fingerprint is 32 bytes of SHA-256", nameof(fingerprint));
        if (IpxeBinary.KindOf(file) == IpxeBinaryKind.Bios)
            return ApplyInside(file, fingerprint);
        IpxeBinary.RequireEfi(file);
        var patched = file.ToArray();
        Replace(patched, fingerprint);
        return patched;
    }

    /// <summary>Where a BIOS has its code: compressed.</summary>
    private static byte[] ApplyInside(ReadOnlySpan<byte> file, ReadOnlySpan<byte> fingerprint)
    {
        try
        {
            // iPXE's code is the largest by far; the others make its start.
            var payload = BiosPayload.FindIn(file.ToArray()).MaxBy(p => p.Content.Length)
                ?? throw new BinaryPatchException(BinaryPatchRefusal.Compressed,
                    "this is an iPXE for BIOS that is not compressed as builds since 2015 are: take a newer one, or build iPXE with TRUST=");
            Replace(payload.Content, fingerprint);
            return payload.WriteInto(file);
        }
        catch (InvalidDataException e)
        {
            throw new BinaryPatchException(BinaryPatchRefusal.Compressed, $"this is an iPXE for BIOS whose code cannot be unpacked and packed again: {e.Message}");
        }
    }

    private static void Replace(Span<byte> file, ReadOnlySpan<byte> fingerprint)
    {
        var at = file.IndexOf(StockRoot);
        if (at < 0 && file.IndexOf(fingerprint) >= 0)
            throw new BinaryPatchException(BinaryPatchRefusal.AlreadyPatched, "this iPXE already trusts this certificate authority");
        if (at < 0)
        {
            throw new BinaryPatchException(BinaryPatchRefusal.PatternAbsent, IpxeBinary.NamesItself(file)
                ? "this iPXE was built with its own TRUST=, or patched for another certificate authority: the stock fingerprint (9faf717b…) is not in it"
                : "this is not iPXE: neither its name nor the stock fingerprint (9faf717b…) is in it");
        }
        if (file[(at + 1)..].IndexOf(StockRoot) is >= 0 and var second)
        {
            throw new BinaryPatchException(BinaryPatchRefusal.PatternTwice,
                $"the stock fingerprint is there twice, at {at} and at {at + 1 + second}: which one counts is not known, so none was changed");
        }
        fingerprint.CopyTo(file[at..]);
    }
}
