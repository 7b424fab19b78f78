using System.CommandLine;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Slipway.Ipxe.Binaries;

namespace Slipway.Commands.Firmware;

/// <summary><c>slipway firmware trust IN OUT</c>: this site's certificate authority in the place of iPXE's own.</summary>
internal static class TrustCommand
{
    private const string DefaultRoot = "/var/lib/slipway/ca.pem";

    public static Command Create()
    {
        var input = new Argument<FileInfo>("IN") { Description = "A stock iPXE for UEFI (ipxe-amd64.efi, snponly.efi, …)" };
        var output = new Argument<FileInfo>("OUT") { Description = "Where the patched copy goes" };
        var authority = new Option<FileInfo>("--ca")
        {
            Description = "The root certificate, PEM or DER",
            DefaultValueFactory = _ => new(DefaultRoot),
        };
        var awake = new Option<bool>("--no-sleep") { Description = "Also keep iPXE from halting the processor: needed under U-Boot, which has no timer interrupt" };
        var json = new Option<bool>("--json") { Description = "Print the result as JSON" };
        var command = new Command("trust", "Make a copy of a stock iPXE that trusts this site's certificate authority.") { input, output, authority, awake, json };
        command.SetAction((parsed, _) => FirmwareOutput.RunAsync(parsed.GetValue(json), () => Task.FromResult(
            Patch(parsed.GetRequiredValue(input), parsed.GetRequiredValue(output), parsed.GetRequiredValue(authority), parsed.GetValue(awake)))));
        return command;
    }

    private static FirmwareResult Patch(FileInfo input, FileInfo output, FileInfo authority, bool awake)
    {
        var fingerprint = FingerprintOf(authority);
        var patched = Refusable(input, file => TrustPatch.Apply(file, fingerprint));
        if (awake) patched = Refusable(input, _ => NapPatch.Apply(patched));
        FirmwareOutput.Write(output, stream => stream.Write(patched));
        var text = Convert.ToHexStringLower(fingerprint);
        return new(output.FullName, patched.Length, $"trusts {authority.Name} (SHA-256 {text}){(awake ? ", never sleeps" : "")}", text);
    }

    private static byte[] Refusable(FileInfo input, Func<byte[], byte[]> patch)
    {
        try
        {
            return patch(File.ReadAllBytes(input.FullName));
        }
        catch (BinaryPatchException refusal)
        {
            throw new FirmwareException($"{input.Name}: {refusal.Message}", refusal);
        }
    }

    private static byte[] FingerprintOf(FileInfo authority)
    {
        if (!authority.Exists)
            throw new FirmwareException($"{authority.FullName} is not there. `slipway serve` makes the site's certificate authority at its first start; another one is given with --ca");
        try
        {
            var bytes = File.ReadAllBytes(authority.FullName);
            using var root = bytes.AsSpan().IndexOf("-----BEGIN"u8) >= 0
                ? X509Certificate2.CreateFromPem(System.Text.Encoding.UTF8.GetString(bytes))
                : X509CertificateLoader.LoadCertificate(bytes);
            var constraints = root.Extensions.OfType<X509BasicConstraintsExtension>().FirstOrDefault();
            if (constraints is not { CertificateAuthority: true })
                throw new FirmwareException($"{authority.Name} is {root.Subject}'s certificate, not a certificate authority's (CA:TRUE): iPXE would trust nothing by it");
            return TrustPatch.FingerprintOf(root);
        }
        catch (CryptographicException e)
        {
            throw new FirmwareException($"{authority.Name} is not a certificate in PEM or DER: {e.Message}", e);
        }
    }
}
