using System.CommandLine;
using Slipway.Ipxe.Binaries;

namespace Slipway.Commands.Firmware;

/// <summary><c>slipway firmware trust IN OUT</c>: this site's certificate authority in the place of iPXE's own.</summary>
internal static class TrustCommand
{
    public static Command Create()
    {
        var input = new Argument<FileInfo>("IN") { Description = "A stock iPXE (ipxe-amd64.efi, snponly.efi, ipxe.lkrn, …)" };
        var output = new Argument<FileInfo>("OUT") { Description = "Where the patched copy goes" };
        var authority = SiteOptions.Authority();
        var awake = new Option<bool>("--no-sleep") { Description = "Also keep iPXE from halting the processor: needed under U-Boot, which has no timer interrupt" };
        var json = new Option<bool>("--json") { Description = "Print the result as JSON" };
        var command = new Command("trust", "Make a copy of a stock iPXE that trusts this site's certificate authority.") { input, output, authority, awake, json };
        command.SetAction((parsed, _) => FirmwareOutput.RunAsync(parsed.GetValue(json), () => Task.FromResult(
            Patch(parsed.GetRequiredValue(input), parsed.GetRequiredValue(output), parsed.GetRequiredValue(authority), parsed.GetValue(awake)))));
        return command;
    }

    private static FirmwareResult Patch(FileInfo input, FileInfo output, FileInfo authority, bool awake)
    {
        using var root = SiteOptions.ReadAuthority(authority);
        var fingerprint = TrustPatch.FingerprintOf(root);
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
}
