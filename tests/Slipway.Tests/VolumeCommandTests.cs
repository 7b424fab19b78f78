using System.Text.Json;
using Slipway.Fleet.Machines;
using Slipway.Fleet.Store;

namespace Slipway.Tests;

public class VolumeCommandTests
{
    [Fact]
    public async Task An_image_is_imported_cloned_and_looked_into()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["root/etc"]);
        await File.WriteAllTextAsync(folder["root/etc/hostname"], "golden\n");
        await Tool.RunAsync("mke2fs", "-q", "-t", "ext4", "-d", folder["root"], folder["disk"], "8M");

        Assert.Contains("golden@1  raw  8.0 MiB  takes", await SlipwayAsync("image", "import", folder["disk"], "--name", "golden"), StringComparison.Ordinal);
        Assert.Contains("golden@1", await SlipwayAsync("volume", "create", "web01", "--image", "golden"), StringComparison.Ordinal);
        Assert.Contains("hostname", await SlipwayAsync("volume", "ls", "web01", "/etc"), StringComparison.Ordinal);
        Assert.Equal("golden\n", await SlipwayAsync("volume", "cat", "web01", "/etc/hostname"));
        foreach (var (path, told) in new[]
        {
            ("/nothing", "there is no /nothing in the disk as a whole (ext4)"), ("0:/nothing", "there is no /nothing in the disk as a whole (ext4)"),
            ("5:/etc", "there is no partition 5: the disk has none, and 0 is the disk as a whole"),
        })
            Assert.Contains(told, (await Tool.TryRunAsync(Program, "volume", "ls", "web01", path, "--state", folder["state"])).Output, StringComparison.Ordinal);
        Assert.Contains("\"image\": \"golden@1\"", await SlipwayAsync("volume", "list", "--json"), StringComparison.Ordinal);
        foreach (var (name, format) in new[] { ("a.img", "raw"), ("a.vhdx", "vhdx"), ("a.disk", "qcow2") })
        {
            await SlipwayAsync("volume", "export", "web01", folder[name]);
            Assert.Contains($"\"format\": \"{format}\"", await Tool.RunAsync("qemu-img", "info", "--output=json", folder[name]), StringComparison.Ordinal);
        }
        Assert.Contains("as it was imported", await SlipwayAsync("image", "verify", "golden"), StringComparison.Ordinal);
        var (status, output) = await Tool.TryRunAsync(Program, "image", "rm", "golden", "--state", folder["state"]);
        Assert.Equal(1, status);
        Assert.Contains("in use by web01", output, StringComparison.Ordinal);
        // It has all that the image had: it is not blank.
        Assert.Contains("web01  8.0 MiB  no image  keep", await SlipwayAsync("volume", "flatten", "web01"), StringComparison.Ordinal);
        Assert.Contains("golden@1 is gone", await SlipwayAsync("image", "rm", "golden"), StringComparison.Ordinal);

        Task<string> SlipwayAsync(params string[] arguments) => Tool.RunAsync(Program, [.. arguments, "--state", folder["state"]]);
    }

    [Fact]
    public async Task A_machines_disk_is_deleted_only_by_who_says_so()
    {
        using var folder = new TemporaryFolder();
        await TryAsync("volume", "create", "--for", "node-1", "--size", "1M");
        await TryAsync("volume", "create", "scratch", "--size", "1M");
        await TryAsync("volume", "create", "spare", "--size", "1M");
        using (var fleet = FleetStore.Open(folder["state/slipway.db"]))
            fleet.Add(new RegisteredMachine(MacAddress.Parse("52:54:00:00:00:02"), "node-2", "scratch", MachineFirmware.Detect, null, "an operator", DateTimeOffset.UnixEpoch, "sanboot"));

        Assert.Equal((1, "slipway: node-1 is the disk of node-1, which will have none. Nothing was deleted: give --yes where nobody can be asked\n"), await TryAsync("volume", "rm", "node-1"));
        Assert.Equal((1, "{\"error\":\"scratch is the disk of node-2, which will have none. Nothing was deleted: give --yes where nobody can be asked\"}\n"), await TryAsync("volume", "rm", "scratch", "--json"));
        Assert.Equal((0, "spare is gone\n"), await TryAsync("volume", "rm", "spare"));
        Assert.Equal((0, "scratch is gone\n"), await TryAsync("volume", "rm", "scratch", "--yes"));
        Assert.Equal((0, "node-1 is gone\n"), await TryAsync("volume", "rm", "node-1", "-y"));

        Task<(int Status, string Output)> TryAsync(params string[] arguments) => Tool.TryRunAsync(Program, [.. arguments, "--state", folder["state"]]);
    }

    [Fact]
    public async Task A_program_reads_an_errors_code()
    {
        using var folder = new TemporaryFolder();
        await Tool.RunAsync(Program, "volume", "create", "web01", "--size", "1M", "--state", folder["state"]);
        await using var served = await Targets.ServedTarget.StartAsync("web01", "--state", folder["state"]);
        var (status, output) = await Tool.TryRunAsync(Program, "volume", "flatten", "web01", "--json", "--state", folder["state"]);
        Assert.Equal(1, status);
        using var json = JsonDocument.Parse(output);
        Assert.Equal("SLP2006", json.RootElement.GetProperty("code").GetString());
        Assert.StartsWith("the volume web01 is in use by slipway", json.RootElement.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_is_misspelt_is_not_made()
    {
        using var folder = new TemporaryFolder();
        var (status, output) = await TryAsync("volume", "list");
        Assert.Equal(0, status);
        Assert.StartsWith($"slipway: {folder["state"]} has no images and volumes yet: ", output, StringComparison.Ordinal);
        Assert.Equal((0, "[]\n"), await TryAsync("image", "list", "--json"));
        Assert.Equal(1, (await TryAsync("volume", "show", "web01")).Status);
        Assert.False(Directory.Exists(folder["state"]));
        await TryAsync("volume", "create", "web01", "--size", "1M");
        Assert.Equal((0, "there are none\n"), await TryAsync("image", "list"));

        Task<(int Status, string Output)> TryAsync(params string[] arguments) => Tool.TryRunAsync(Program, [.. arguments, "--state", folder["state"]]);
    }

    private static string Program => RunningTarget.Program;
}
