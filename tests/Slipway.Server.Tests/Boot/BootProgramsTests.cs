using Slipway.Dhcp.Clients;
using Slipway.Server.Boot;

namespace Slipway.Server.Tests.Boot;

public sealed class BootProgramsTests : IDisposable
{
    private static readonly byte[] Root = [.. Enumerable.Range(1, 32).Select(i => (byte)i)], Another = [.. Enumerable.Repeat((byte)7, 32)];
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_program_that_was_built_for_the_sites_root_is_sent_as_it_is_and_anothers_is_not_sent()
    {
        var built = new byte[8192];
        "MZ"u8.CopyTo(built);
        built[0x3C] = 0x80;
        "PE\0\0"u8.CopyTo(built.AsSpan(0x80));
        (built[0x84], built[0x85]) = (0x64, 0x86);
        "iPXE initialising devices"u8.CopyTo(built.AsSpan(0x200));
        Root.CopyTo(built, 0x400);
        File.WriteAllBytes(Path.Combine(_folder.Path, "ipxe-amd64.efi"), built);

        var programs = BootPrograms.Load(_folder.Path, Root);
        Assert.Equal("ipxe-amd64.efi", programs.ByPlatform[BootPlatform.X64Uefi]);
        Assert.Equal(built, programs.Find("ipxe-amd64.efi"));

        programs = BootPrograms.Load(_folder.Path, Another);
        Assert.Empty(programs.ByPlatform);
        Assert.Contains("was built with its own TRUST=", Assert.Single(programs.Refused), StringComparison.Ordinal);
    }
}
