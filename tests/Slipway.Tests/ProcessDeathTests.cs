using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Slipway.Volumes.Qcow2;

namespace Slipway.Tests;

/// <summary>
/// The target is killed in the middle of a write load and started again: what it acknowledged is in the image, which is
/// without fault, by QEMU's own word.
/// </summary>
public partial class ProcessDeathTests
{
    private const int Size = 64 << 20, Block = 4096;

    [Theory]
    [InlineData("QEMU")]
    [InlineData("QEMU", "-o", "extended_l2=on")]
    [InlineData("Slipway")]
    public Task Every_acknowledged_write_is_there_after_ten_kills(string maker, params string[] options) => KillAsync(10, maker, options);

    [Theory(Explicit = true)]
    [InlineData("QEMU")]
    [InlineData("QEMU", "-o", "extended_l2=on")]
    [InlineData("Slipway")]
    public Task Every_acknowledged_write_is_there_after_fifty_kills(string maker, params string[] options) => KillAsync(50, maker, options);

    private static async Task KillAsync(int times, string maker, string[] options)
    {
        using var folder = new TemporaryFolder();
        var random = new Random(times);
        await File.WriteAllBytesAsync(folder["base.raw"], [.. Enumerable.Repeat((byte)0xEE, Size)]);
        for (var round = 0; round < times; round++)
        {
            // Only ours have a journal: into others a new cluster is acknowledged behind a flush.
            if (maker == "Slipway") await Qcow2File.CreateAsync(folder["disk.qcow2"], Size, "base.raw", "raw");
            else await Tool.RunAsync("qemu-img", ["create", "-q", "-f", "qcow2", .. options, "-b", "base.raw", "-F", "raw", folder["disk.qcow2"]]);
            var acknowledged = await LoadAndKillAsync(folder["disk.qcow2"], random);
            (await RunningTarget.StartAsync(folder["disk.qcow2"])).Dispose();
            Assert.Contains("No errors were found", await Tool.RunAsync("qemu-img", "check", folder["disk.qcow2"]), StringComparison.Ordinal);
            var reads = acknowledged.SelectMany(block => new[] { "-c", $"read -q -P {Pattern(block)} {block * Block} {Block}" });
            var read = await Tool.RunAsync("qemu-io", ["-r", "-f", "qcow2", .. reads, folder["disk.qcow2"]]);
            Assert.DoesNotContain("Pattern verification failed", read, StringComparison.Ordinal);
            File.Delete(folder["disk.qcow2"]);
        }
    }

    /// <summary>Blocks whose write was acknowledged before the target died; up to sixteen were under way.</summary>
    private static async Task<List<long>> LoadAndKillAsync(string disk, Random random)
    {
        var target = await RunningTarget.StartAsync(disk);
        // Told line by line: each is an acknowledgement.
        using var load = Process.Start(new ProcessStartInfo("stdbuf", ["-oL", "qemu-io", "-f", "raw", target.Address]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        var blocks = Enumerable.Range(0, Size / Block).ToArray();
        random.Shuffle(blocks);
        var (sent, killAt) = (0, random.Next(20, 600));
        for (; sent < 16; sent++) await SendAsync(blocks[sent]);
        var acknowledged = new List<long>();
        while (await load.StandardOutput.ReadLineAsync() is { } line)
        {
            if (Wrote().Match(line) is not { Success: true } match) continue;
            acknowledged.Add(long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) / Block);
            if (acknowledged.Count < killAt) await SendAsync(blocks[sent++]);
            else if (acknowledged.Count == killAt)
            {
                target.Dispose();
                // It would log in anew for ever. What it was told before and is still to be read counts as well.
                load.Kill();
            }
        }
        Assert.True(acknowledged.Count >= killAt, $"the load ended after {acknowledged.Count} writes");
        return acknowledged;

        async Task SendAsync(long block)
        {
            await load.StandardInput.WriteLineAsync($"aio_write -P {Pattern(block)} {block * Block} {Block}");
            await load.StandardInput.FlushAsync();
        }
    }

    private static long Pattern(long block) => block % 199 + 1;

    [GeneratedRegex(@"wrote \d+/\d+ bytes at offset (\d+)")]
    private static partial Regex Wrote();
}
