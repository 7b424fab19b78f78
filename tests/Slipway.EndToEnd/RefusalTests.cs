using System.Diagnostics;
using Slipway.Server.Tests;
using Slipway.Server.Tests.Net;

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

    [Fact]
    public async Task A_machine_that_goes_off_in_its_firmware_is_started_again()
    {
        using var folder = new TemporaryFolder();
        using var demo = new BackgroundTool(Demo.Program, "demo", "--headless", "--firmware", "uboot-x86_64", "--folder", folder.Path, "--break", "unknown-machine");
        demo.WaitFor("uboot-x86_64: a machine without a disk boots", TimeSpan.FromMinutes(15));
        var media = Path.Combine(folder.Path, "boot-media.img");
        Process.GetProcessesByName("qemu-system-x86_64").Single(p => File.ReadAllText($"/proc/{p.Id}/cmdline").Contains(media, StringComparison.Ordinal)).Kill();
        Assert.Equal(1, await demo.EndAsync(TimeSpan.FromMinutes(2)));
        Assert.Single(demo.Lines, l => l.Contains("the machine went off at its firmware", StringComparison.Ordinal) && l.EndsWith("It is started again (start 2 of at most 3)", StringComparison.Ordinal));
        Assert.Contains("is not registered", demo.Lines[^1], StringComparison.Ordinal);
    }
}
