using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace Slipway.Tests;

public class FirmwareCommandTests
{
    private static readonly byte[] StockRoot = Convert.FromHexString("9faf717b7f8ca2f93c256c79f8ac5591895d66d1ff3bee6397a70d29c65eed1a");

    private static Task<(int Status, string Output)> SlipwayAsync(params string[] arguments) =>
        Tool.TryRunAsync(Path.Combine(AppContext.BaseDirectory, "slipway"), arguments);

    /// <summary>A PE header for x86-64 with the fingerprint and the sleep that iPXE has.</summary>
    private static byte[] Program()
    {
        var file = new byte[4096];
        "MZ"u8.CopyTo(file);
        file[0x3C] = 0x80;
        "PE\0\0\x64"u8.CopyTo(file.AsSpan(0x80));
        file[0x85] = 0x86;
        StockRoot.CopyTo(file, 0x400);
        Convert.FromHexString("833d00000000007501f4c3").CopyTo(file, 0x800);
        return file;
    }

    [Fact]
    public async Task A_stock_program_becomes_trusted_media()
    {
        using var folder = new TemporaryFolder();
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=test", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var root = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(90));
        await File.WriteAllTextAsync(folder["ca.pem"], root.ExportCertificatePem());
        await File.WriteAllBytesAsync(folder["ipxe.efi"], Program());

        var (status, output) = await SlipwayAsync("firmware", "trust", folder["ipxe.efi"], folder["ours.efi"], "--ca", folder["ca.pem"], "--no-sleep", "--json");
        Assert.True(status == 0, output);
        var fingerprint = SHA256.HashData(root.RawData);
        using (var json = JsonDocument.Parse(output))
            Assert.Equal(Convert.ToHexStringLower(fingerprint), json.RootElement.GetProperty("fingerprint").GetString());
        var patched = await File.ReadAllBytesAsync(folder["ours.efi"]);
        Assert.Equal(fingerprint, patched[0x400..0x420]);
        Assert.Equal(0x90, patched[0x809]);

        (status, output) = await SlipwayAsync("firmware", "media", folder["media.img"], "--ipxe", folder["ours.efi"], "--server", "https://10.0.0.1/");
        Assert.True(status == 0, output);
        await Tool.RunAsync("mcopy", "-i", folder["media.img"] + "@@1M", "::/EFI/BOOT/BOOTX64.EFI", folder["out.efi"]);
        Assert.Equal(patched, await File.ReadAllBytesAsync(folder["out.efi"]));

        (status, output) = await SlipwayAsync("firmware", "trust", folder["ours.efi"], folder["again.efi"], "--ca", folder["ca.pem"]);
        Assert.Equal(1, status);
        Assert.Contains("already trusts", output, StringComparison.Ordinal);
        Assert.False(File.Exists(folder["again.efi"]));
    }
}
