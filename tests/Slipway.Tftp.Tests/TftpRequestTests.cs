using System.Text;
using CsCheck;
using Slipway.Tftp.Server;
using Slipway.Tftp.Wire;

namespace Slipway.Tftp.Tests;

public class TftpRequestTests
{
    [Fact]
    public void Anything_at_all_is_read_or_refused_with_a_reason() => Gen.Byte.Array[0, 600].Sample(bytes =>
    {
        if (!TftpRequest.TryRead(bytes, out _, out _, out var reason))
            Assert.NotEmpty(reason);
    });

    [Fact]
    public void Whatever_strings_a_request_has_it_is_read_or_refused_with_a_reason() => Gen.String.Array[0, 8].Sample(strings =>
    {
        byte[] packet = [0, 1, .. Encoding.UTF8.GetBytes(string.Join('\0', strings))];
        if (!TftpRequest.TryRead(packet, out var request, out _, out var reason))
            Assert.NotEmpty(reason);
        else if (TftpName.Normalise(request.Name) is { } name)
            Assert.StartsWith("/srv/", Path.GetFullPath(Path.Combine("/srv", name)), StringComparison.Ordinal);
    });

    [Theory]
    [InlineData("ipxe.efi", "ipxe.efi")]
    [InlineData("/ipxe.efi", "ipxe.efi")]
    [InlineData("//arm64/./ipxe.efi", "arm64/ipxe.efi")]
    [InlineData("\\boot\\wdsnbp.com", "boot/wdsnbp.com")]
    [InlineData("..", null)]
    [InlineData("a/../../b", null)]
    [InlineData("..\\b", null)]
    [InlineData("c:\\b", null)]
    [InlineData("a\nb", null)]
    [InlineData("/", null)]
    public void Names_become_relative_or_nothing(string name, string? normal) => Assert.Equal(normal, TftpName.Normalise(name));

    [Fact]
    public void Options_are_paired_and_their_names_lowered()
    {
        Assert.True(TftpRequest.TryRead("\0\u0001f\0OCTET\0BlkSize\01468\0tsize\00\0"u8, out var request, out _, out _));
        Assert.Equal("octet", request.Mode);
        Assert.Equal([("blksize", "1468"), ("tsize", "0")], request.Options);
    }
}
