using System.Globalization;
using System.Text.RegularExpressions;
using Slipway.Server.Tests;
using Slipway.Server.Tests.Net;

namespace Slipway.EndToEnd;

/// <summary>Real firmware, real iPXE, real GRUB, a real kernel: a machine without a disk comes up.</summary>
public sealed partial class BootTests
{
    private static readonly string[] Always = ["dhcp", "script", "san-login", "partition", "loader", "kernel", "os-login", "root", "up"];

    [Theory]
    [InlineData("uboot-x86_64")]
    [InlineData("uboot-arm64")]
    [InlineData("uboot-riscv64", Explicit = true)]
    [InlineData("ovmf")]
    [InlineData("aavmf")]
    [InlineData("seabios")]
    public async Task A_machine_without_a_disk_boots(string firmware)
    {
        using var folder = new TemporaryFolder();
        var demo = await Demo.RunAsync(folder, firmware);
        Assert.True(demo.Status == 0, demo.Output);

        string[] expected = firmware.StartsWith("uboot", StringComparison.Ordinal) ? Always : ["dhcp", "tftp", .. Always[1..]];
        Assert.Equal(expected, StageRow().Matches(demo.Output).Select(m => m.Groups["stage"].Value));
        Assert.Contains("mutual CHAP", demo.Output, StringComparison.Ordinal);
        Assert.Contains(firmware.StartsWith("uboot", StringComparison.Ordinal) ? "by kernel arguments" : "by iBFT", demo.Output, StringComparison.Ordinal);

        // The same record from two sides: what the machine printed, and what e2fsprogs finds in its volume.
        var printed = Nonce().Match(await File.ReadAllTextAsync(Path.Combine(folder.Path, "console.log")));
        var root = RootOffset(Path.Combine(folder.Path, "disk.raw"));
        var stored = Tool.Run("debugfs", "-R", "cat /etc/slipway-boot", $"{folder.Path}/disk.raw?offset={root}").Output;
        Assert.True(printed.Success);
        Assert.Contains(printed.Value, stored, StringComparison.Ordinal);
        Tool.Run("e2fsck", "-fn", $"{folder.Path}/disk.raw?offset={root}");
    }

    private static long RootOffset(string disk)
    {
        var start = Tool.Run("partx", "--noheadings", "--raw", "--output", "START", "--nr", "2", disk).Output;
        return long.Parse(start, CultureInfo.InvariantCulture) * 512;
    }

    [GeneratedRegex(@"^(?<stage>[a-z-]+) +\d+\.\d\d s( +\d+\.\d\d s)?$", RegexOptions.Multiline)]
    private static partial Regex StageRow();

    [GeneratedRegex("nonce=[0-9a-f-]{36}")]
    private static partial Regex Nonce();
}
