using Slipway.Dhcp.Clients;
using Slipway.Server.Boot.Programs;

namespace Slipway.Server.Tests.Boot.Programs;

public sealed class BootProgramsTests : IDisposable
{
    private static readonly byte[] Root = [.. Enumerable.Range(1, 32).Select(i => (byte)i)], Another = [.. Enumerable.Repeat((byte)7, 32)];
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_program_that_was_built_for_the_sites_root_is_sent_as_it_is_and_anothers_is_not_sent()
    {
        var built = TrustingProgram.For(Root, 8192);
        File.WriteAllBytes(Path.Combine(_folder.Path, TrustingProgram.Name), built);

        var programs = new BootPrograms(_folder.Path, Root);
        Assert.Equal(TrustingProgram.Name, programs.ByPlatform[BootPlatform.X64Uefi]);
        Assert.Equal(built, programs.Find(TrustingProgram.Name));

        programs = new BootPrograms(_folder.Path, Another);
        Assert.Empty(programs.ByPlatform);
        Assert.Contains("was built with its own TRUST=", Assert.Single(programs.Refused), StringComparison.Ordinal);
    }

    /// <summary>Debian's package of 2019 has links into /boot.</summary>
    [Fact]
    public void A_program_that_cannot_be_read_is_told_and_the_others_are_sent()
    {
        File.CreateSymbolicLink(Path.Combine(_folder.Path, "ipxe.efi"), Path.Combine(_folder.Path, "nowhere"));
        File.WriteAllBytes(Path.Combine(_folder.Path, "snponly.efi"), TrustingProgram.For(Root, 8192));

        var programs = new BootPrograms(_folder.Path, Root);
        Assert.Equal("snponly.efi", programs.ByPlatform[BootPlatform.X64Uefi]);
        Assert.Contains("ipxe.efi", Assert.Single(programs.Refused), StringComparison.Ordinal);
    }
}
