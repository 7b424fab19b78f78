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
        using var root = await AuthorityAsync(folder["ca.pem"]);
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

    [Fact]
    public async Task A_build_of_iPXE_gets_headers_that_a_compiler_takes_a_script_a_root_and_make_lines()
    {
        using var folder = new TemporaryFolder();
        using var root = await AuthorityAsync(folder["ca.pem"]);
        var (status, output) = await SlipwayAsync("firmware", "config", folder["src"], "--server", "https://10.0.0.1/", "--ca", folder["ca.pem"], "--for", "arm64", "bios", "--no-sleep", "--json");
        Assert.True(status == 0, output);
        using var json = JsonDocument.Parse(output);
        var (script, authority) = (Path.Combine(folder["src"], "slipway.ipxe"), Path.Combine(folder["src"], "slipway-ca.pem"));
        Assert.Equal(
            [$"make bin-arm64-efi/ipxe.efi CROSS_COMPILE=aarch64-linux-gnu- EMBED={script} CERT={authority} TRUST={authority}",
             $"make bin/undionly.kpxe CROSS_COMPILE=x86_64-linux-gnu- EMBED={script} CERT={authority} TRUST={authority}"],
            json.RootElement.GetProperty("commands").EnumerateArray().Select(c => c.GetString()!));
        Assert.StartsWith("#!ipxe\n", await File.ReadAllTextAsync(script), StringComparison.Ordinal);
        using (var written = X509CertificateLoader.LoadCertificateFromFile(authority))
            Assert.Equal(root.RawData, written.RawData);

        // iPXE's own headers come first, of before and after 2024 and for a BIOS, with what they have by default.
        foreach (var (defaults, expected) in new[] { ("NAP_EFIARM", "NAP_NULL"), ("NAP_EFI", "NAP_NULL"), ("NAP_PCBIOS", "NAP_PCBIOS") })
        {
            var other = expected == "NAP_NULL" ? defaults : "NAP_NULL";
            await File.WriteAllTextAsync(folder["check.c"], $"""
                #define {defaults}
                #define DOWNLOAD_PROTO_HTTPS /* as it may be there already */
                #include "src/config/local/general.h"
                #include "src/config/local/console.h"
                #include "src/config/local/nap.h"
                #if !defined {expected} || defined {other} || !defined DOWNLOAD_PROTO_HTTPS || !defined SANBOOT_PROTO_ISCSI || !defined CONSOLE_SYSLOG
                #error not as wanted
                #endif

                """);
            await Tool.RunAsync("gcc", "-Wall", "-Werror", "-fsyntax-only", folder["check.c"]);
        }
    }

    [Fact]
    public async Task A_board_gets_a_boot_script_an_environment_and_an_SD_card()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllBytesAsync(folder["ipxe.efi"], Program());
        await File.WriteAllBytesAsync(folder["spl.bin"], [1, 2, 3, 4]);
        var (status, output) = await SlipwayAsync("firmware", "uboot", folder["board"], "--for", "x86_64", "--server", "https://10.0.0.1/", "--device", "usb 0:2");
        Assert.True(status == 0, output);
        Assert.Contains("load usb 0:2 ${scriptaddr} slipway.env", output, StringComparison.Ordinal);
        foreach (var name in (string[])["boot.scr", "boot.cmd", "slipway.env", "extlinux/extlinux.conf"])
            Assert.True(File.Exists(Path.Combine(folder["board"], name)), name);

        (status, output) = await SlipwayAsync("firmware", "media", folder["sd.img"], "--format", "sd", "--ipxe", folder["ipxe.efi"], "--server", "https://10.0.0.1/", "--loader", folder["spl.bin"] + "@8K");
        Assert.True(status == 0, output);
        var image = await File.ReadAllBytesAsync(folder["sd.img"]);
        Assert.Equal([1, 2, 3, 4], image[8192..8196]);
        await Tool.RunAsync("mcopy", "-i", folder["sd.img"] + "@@1M", "::/boot.scr", folder["boot.scr"]);
        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(folder["board"], "boot.scr")), await File.ReadAllBytesAsync(folder["boot.scr"]));
    }

    [Theory]
    [InlineData("not FILE@OFFSET", "--format", "sd", "--server", "https://10.0.0.1/", "--loader", "spl.bin")]
    [InlineData("--loader goes with --format sd", "--format", "disk", "--server", "https://10.0.0.1/", "--loader", "/dev/null@8K")]
    [InlineData("boot.scr names it", "--format", "sd", "--script", "own.ipxe")]
    [InlineData("--sector-size goes with --format disk", "--format", "iso", "--server", "https://10.0.0.1/", "--sector-size", "4096")]
    [InlineData("--image and --volume go with --machine", "--server", "https://10.0.0.1/", "--image", "debian")]
    [InlineData("no server runs with the state folder", "--server", "https://10.0.0.1/", "--machine", "node-1", "--state", "/nonexistent")]
    public async Task What_media_cannot_be_is_said(string refusal, params string[] options)
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllBytesAsync(folder["ipxe.efi"], Program());
        var (status, output) = await SlipwayAsync(["firmware", "media", folder["media.img"], "--ipxe", folder["ipxe.efi"], .. options]);
        Assert.NotEqual(0, status);
        Assert.Contains(refusal, output, StringComparison.Ordinal);
        Assert.False(File.Exists(folder["media.img"]));
    }

    [Fact]
    public async Task Of_a_chain_the_root_is_trusted()
    {
        using var folder = new TemporaryFolder();
        using var root = await AuthorityAsync(folder["root.pem"]);
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=between", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var between = request.Create(root, root.NotBefore, root.NotAfter, [1]);
        await File.WriteAllBytesAsync(folder["ipxe.efi"], Program());
        await File.WriteAllTextAsync(folder["chain.pem"], between.ExportCertificatePem() + "\n" + root.ExportCertificatePem());
        var (status, output) = await SlipwayAsync("firmware", "trust", folder["ipxe.efi"], folder["ours.efi"], "--ca", folder["chain.pem"]);
        Assert.True(status == 0, output);
        Assert.Contains(Convert.ToHexStringLower(SHA256.HashData(root.RawData)), output, StringComparison.Ordinal);

        await File.WriteAllTextAsync(folder["chain.pem"], between.ExportCertificatePem() + "\n" + between.ExportCertificatePem());
        (status, output) = await SlipwayAsync("firmware", "trust", folder["ipxe.efi"], folder["theirs.efi"], "--ca", folder["chain.pem"]);
        Assert.Equal(1, status);
        Assert.Contains("no root, which signs itself", output, StringComparison.Ordinal);
    }

    private static async Task<X509Certificate2> AuthorityAsync(string path)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=test", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var root = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(90));
        await File.WriteAllTextAsync(path, root.ExportCertificatePem());
        return root;
    }
}
