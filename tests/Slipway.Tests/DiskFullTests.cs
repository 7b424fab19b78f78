using System.Diagnostics;

namespace Slipway.Tests;

/// <summary>The host's file system fills up under a thin disk, and gets room again.</summary>
public class DiskFullTests
{
    [Fact]
    public async Task An_initiator_hears_that_space_is_gone_and_goes_on_once_there_is_room()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["small"]);
        // A file system of its own, in a mount namespace of its own; reached through the process that lives in it.
        var prepare = $"mount -t tmpfs -o size=6m none {folder["small"]} && cd {folder["small"]} && head -c 2M /dev/zero >filler && "
            + $"qemu-img create -q -f qcow2 disk.qcow2 64M && exec {RunningTarget.Program} target disk.qcow2 --portal 127.0.0.1:0";
        using var target = await RunningTarget.StartAsync(new ProcessStartInfo("unshare", ["-m", "sh", "-c", prepare]));
        var inside = $"/proc/{target.Id}/root{folder["small"]}";

        await IoAsync(true, "write -P 1 0 1M", "flush");
        Assert.Contains("No space left on device", await IoAsync(false, "write -P 2 1M 8M"), StringComparison.Ordinal);
        // What is there can be read and written over.
        await IoAsync(true, "read -P 1 0 1M", "write -P 3 512k 64k", "flush");
        await NoErrorsAsync();
        File.Delete(Path.Combine(inside, "filler"));
        await IoAsync(true, "write -P 4 20M 1M", "flush", "read -P 1 0 512k", "read -P 3 512k 64k", "read -P 4 20M 1M");
        // Room that the machine itself gives back.
        Assert.Contains("No space left on device", await IoAsync(false, "write -P 5 30M 8M"), StringComparison.Ordinal);
        await IoAsync(true, "discard 30M 8M", "flush", "discard 1M 8M", "flush", "write -P 6 40M 1M", "flush", "read -P 6 40M 1M", "read -P 1 0 512k");
        await NoErrorsAsync();

        async Task<string> IoAsync(bool works, params string[] commands)
        {
            var (_, output) = await Tool.TryRunAsync("qemu-io", ["-f", "raw", "-d", "unmap", .. commands.SelectMany(c => new[] { "-c", c }), target.Address]);
            Assert.True(works == !output.Contains("failed", StringComparison.Ordinal), output);
            return output;
        }

        async Task NoErrorsAsync()
        {
            var (status, output) = await Tool.TryRunAsync("qemu-img", "check", "-U", Path.Combine(inside, "disk.qcow2"));
            Assert.True(status is 0 or 3, output);
        }
    }
}
