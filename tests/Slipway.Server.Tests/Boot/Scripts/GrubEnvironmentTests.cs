using System.Text;
using Slipway.Server.Boot;
using Slipway.Server.Boot.Scripts;
using Slipway.Server.Tests.Net;

namespace Slipway.Server.Tests.Boot.Scripts;

public sealed class GrubEnvironmentTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("ISCSI_INITIATOR=iqn.2026-11.internal.slipway:lab:node-1 ip=dhcp")]
    [InlineData("a=\"b c\" # d")]
    public void Grub_reads_what_is_written(string value)
    {
        var file = Path.Combine(_folder.Path, "grubenv");
        File.WriteAllBytes(file, GrubEnvironment.Write(value));
        Assert.Equal(1024, new FileInfo(file).Length);
        Assert.Equal($"slipway_args={value}", Tool.Run("grub-editenv", file, "list").Output.Trim());
    }

    [Fact]
    public void An_empty_value_leaves_an_empty_block()
    {
        var file = Path.Combine(_folder.Path, "grubenv");
        File.WriteAllBytes(file, GrubEnvironment.Write(""));
        Assert.Equal("", Tool.Run("grub-editenv", file, "list").Output.Trim());
    }

    [Theory]
    [InlineData("a\nb")]
    [InlineData("a\\b")]
    public void What_GRUB_would_misread_is_refused(string value) => Assert.Throws<ArgumentException>(() => GrubEnvironment.Write(value));

    [Fact]
    public void What_does_not_fit_is_refused() => Assert.Throws<ArgumentException>(() => GrubEnvironment.Write(new string('a', 1000)));

    [Fact]
    public void Longest_names_fit()
    {
        var names = IscsiNames.Of(new string('s', 60), new string('m', 60));
        var credentials = Slipway.Fleet.Credentials.BootCredentials.Create(new string('m', 60));
        var arguments = KernelArguments.Of(names, credentials, Slipway.Fleet.Machines.MacAddress.Parse("52:54:00:77:00:01"), default, [new(new(System.Net.IPAddress.Parse("192.168.100.100"), 3260))], new Uri("https://192.168.100.100/boot/up"));
        Assert.Equal(1024, GrubEnvironment.Write(arguments).Length);
        Assert.Contains(credentials.Secret, Encoding.ASCII.GetString(GrubEnvironment.Write(arguments)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_block_on_a_disk_is_rewritten_in_place()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var disk = await BootDisk.CreateAsync(GrubEnvironment.Write(""));
        var before = await disk.PlaceOfAsync(GrubEnvironment.FilePath);
        Assert.True(await GrubEnvironment.SetAsync(disk.Disk, "ip=dhcp quiet", cancellation));
        Assert.Equal(GrubEnvironment.Write("ip=dhcp quiet"), await disk.ReadAsync(GrubEnvironment.FilePath));
        Assert.Equal(before, await disk.PlaceOfAsync(GrubEnvironment.FilePath));
    }

    [Fact]
    public async Task A_disk_without_a_block_is_left_alone()
    {
        Assert.False(await GrubEnvironment.SetAsync((await BootDisk.CreateAsync()).Disk, "ip=dhcp", TestContext.Current.CancellationToken));
        Assert.False(await GrubEnvironment.SetAsync(new Slipway.Disks.MemoryDisk(1 << 20), "ip=dhcp", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_file_of_another_size_is_no_block()
    {
        var disk = await BootDisk.CreateAsync(new byte[100]);
        await Assert.ThrowsAsync<Slipway.Disks.DiskFormatException>(() => GrubEnvironment.SetAsync(disk.Disk, "ip=dhcp", TestContext.Current.CancellationToken));
    }
}
