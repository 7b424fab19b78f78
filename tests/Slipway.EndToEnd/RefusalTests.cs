using Slipway.Server.Tests;

namespace Slipway.EndToEnd;

/// <summary>A boot that must not succeed ends at the right stage, with the right reason.</summary>
public sealed class RefusalTests
{
    [Theory]
    [InlineData("uboot-x86_64", "wrong-secret", "at san-login: wrong CHAP secret")]
    [InlineData("uboot-x86_64", "wrong-reverse-secret", "at san-login: the initiator hung up after the target's CHAP response")]
    [InlineData("uboot-x86_64", "untrusted-ca", "at script: the machine broke off the TLS handshake")]
    [InlineData("uboot-x86_64", "unknown-machine", "at script: 52:54:00:77:00:01 is not registered")]
    [InlineData("ovmf", "untrusted-ca", "at script: the machine broke off the TLS handshake")]
    public async Task A_boot_fails_where_and_why_it_should(string firmware, string wrong, string reason)
    {
        using var folder = new TemporaryFolder();
        var demo = await Demo.RunAsync(folder, firmware, "--break", wrong);
        Assert.True(demo.Status == 1, demo.Output);
        Assert.Contains(reason, demo.Output.Split('\n')[^1], StringComparison.Ordinal);
        Assert.DoesNotContain("os-login", demo.Output, StringComparison.Ordinal);
        // The operator's log says who and why.
        Assert.Contains("REFUSED", await File.ReadAllTextAsync(Path.Combine(folder.Path, "server.log")), StringComparison.Ordinal);
    }
}
