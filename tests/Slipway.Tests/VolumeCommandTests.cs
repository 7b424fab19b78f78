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

    private static string Program => RunningTarget.Program;
}
