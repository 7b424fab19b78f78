using System.Text;
using Slipway.Server.Boot;
using Slipway.Server.Tests.Net;

namespace Slipway.Server.Tests.Boot;

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
        var arguments = KernelArguments.Of(names, credentials, new(System.Net.IPAddress.Parse("192.168.100.100"), 3260), new Uri("https://192.168.100.100/boot/up"));
        Assert.Equal(1024, GrubEnvironment.Write(arguments).Length);
        Assert.Contains(credentials.Secret, Encoding.ASCII.GetString(GrubEnvironment.Write(arguments)), StringComparison.Ordinal);
    }
}
