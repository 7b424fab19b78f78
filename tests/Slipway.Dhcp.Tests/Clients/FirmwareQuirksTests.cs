using System.Text;
using Slipway.Dhcp.Clients;
using Slipway.Dhcp.Tests.Server;
using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.Tests.Clients;

public class FirmwareQuirksTests
{
    private const string Pi = "dc:a6:32:00:00:01";
    private readonly Conversation _c = new();

    [Fact]
    public void Every_quirk_has_a_row_and_every_row_a_source()
    {
        Assert.Equal(Enum.GetValues<FirmwareQuirk>().ToHashSet(), FirmwareQuirks.Table.Select(r => r.Quirk).ToHashSet());
        Assert.All(FirmwareQuirks.Table, r => Assert.NotEmpty(r.Source));
    }

    [Fact]
    public void The_manual_has_the_same_table()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "README.md")))
            folder = Path.GetDirectoryName(folder)!;
        var manual = File.ReadAllText(Path.Combine(folder, "docs", "dhcp.md"));
        Assert.All(FirmwareQuirks.Table, r => Assert.Contains($"| {r.Firmware} | `{r.Quirk}` | ", manual, StringComparison.Ordinal));
        Assert.All(FirmwareQuirks.Table, r => Assert.Contains($" | {r.Source} |\n", manual, StringComparison.Ordinal));
        Assert.Equal(FirmwareQuirks.Table.Count, manual.Split('\n').Count(line => Enum.GetNames<FirmwareQuirk>().Any(quirk => line.Contains($"| `{quirk}` |", StringComparison.Ordinal))));
    }

    [Theory]
    // The numbers are IANA's, "Processor Architecture Types" of DHCPv6, which DHCPv4's option 93 shares.
    [InlineData(0, BootPlatform.Bios)]
    [InlineData(6, BootPlatform.Ia32Uefi)]
    [InlineData(7, BootPlatform.X64Uefi)]
    [InlineData(9, BootPlatform.X64Uefi)]
    [InlineData(10, BootPlatform.Arm32Uefi)]
    [InlineData(11, BootPlatform.Arm64Uefi)]
    [InlineData(16, BootPlatform.X64Uefi)]
    [InlineData(19, BootPlatform.Arm64Uefi)]
    [InlineData(22, BootPlatform.Arm64Uefi)]
    [InlineData(27, BootPlatform.RiscV64Uefi)]
    [InlineData(28, BootPlatform.RiscV64Uefi)]
    [InlineData(39, BootPlatform.LoongArch64Uefi)]
    [InlineData(2, BootPlatform.Unknown)]
    [InlineData(41, BootPlatform.Unknown)]
    [InlineData(4711, BootPlatform.Unknown)]
    public void An_architecture_tells_what_a_boot_file_is_made_for(ushort architecture, BootPlatform platform) =>
        Assert.Equal(platform, _c.Discover(with: m => Conversation.Pxe(m, architecture)).Outcome.Event.Client!.Platform);

    [Fact]
    public void A_Raspberry_Pi_is_an_arm64_machine_and_gets_its_menu_and_the_servers_name()
    {
        // As in the trace of Raspberry Pi's own manual: this client asks for option 66, but the quirk does not rely on it.
        var offer = _c.Discover(Pi, m => Conversation.Pxe(m, 0));
        Assert.Equal(BootPlatform.Arm64Uefi, offer.Outcome.Event.Client!.Platform);
        Assert.Equal("10.0.0.1", offer.Reply!.Options.Text(OptionCode.TftpServerName));
        var menu = offer.Reply.Options.Find(OptionCode.VendorSpecific)!.Value;
        Assert.Equal(32, menu.Length);
        Assert.Contains("Raspberry Pi Boot", Encoding.Latin1.GetString(menu.Span), StringComparison.Ordinal);
    }

    [Fact]
    public void IPXE_on_a_Raspberry_Pi_says_what_it_is() =>
        Assert.Equal(BootPlatform.X64Uefi, _c.Discover(Pi, Conversation.Ipxe).Outcome.Event.Client!.Platform);

    [Theory]
    [InlineData(0)]
    [InlineData(0xFF)]
    public void A_UUID_that_is_not_set_is_none(byte filler)
    {
        var offer = _c.Discover(with: m =>
        {
            Conversation.Pxe(m, 7);
            m.Options.Set(OptionCode.ClientMachineIdentifier, (byte[])[0, .. Enumerable.Repeat(filler, 16)]);
        });
        Assert.Null(offer.Outcome.Event.Client!.Uuid);
    }

    [Fact]
    public void A_BIOS_ROM_gets_a_terminated_file_name()
    {
        var offer = _c.Discover(with: m =>
        {
            Conversation.Pxe(m, 0);
            m.Options.Set(OptionCode.ParameterRequestList, new byte[] { (byte)OptionCode.BootFileName });
        });
        Assert.Equal("undionly.kpxe\0", Encoding.ASCII.GetString(offer.Reply!.Options.Find(OptionCode.BootFileName)!.Value.Span));
    }
}
