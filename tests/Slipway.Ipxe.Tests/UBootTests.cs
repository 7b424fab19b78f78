using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using Slipway.Ipxe.UBoot;

namespace Slipway.Ipxe.Tests;

public class UBootTests
{
    private static readonly UBootBoard Arm64 = UBootBoard.All.Single(b => b.Name == "arm64");

    [Fact]
    public void A_script_image_is_what_mkimage_writes()
    {
        var image = ScriptImage.Create("echo hello\n", "test");
        // mkimage -A arm -T script -C none -n test, with the time and the architecture set to 0.
        Assert.Equal(Convert.FromHexString("27051956"), image[..4]);
        Assert.Equal(19, BinaryPrimitives.ReadInt32BigEndian(image.AsSpan(12)));
        Assert.Equal((5, 6, 0), (image[28], image[30], image[31]));
        Assert.Equal("test\0", Encoding.ASCII.GetString(image, 32, 5));
        Assert.Equal(11, BinaryPrimitives.ReadInt32BigEndian(image.AsSpan(64)));
        Assert.Equal("echo hello\n", Encoding.ASCII.GetString(image, 72, 11));
        var header = image[..64];
        var sum = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(4));
        header.AsSpan(4, 4).Clear();
        Assert.Equal(Crc32.HashToUInt32(header), sum);
        Assert.Equal(Crc32.HashToUInt32(image.AsSpan(64)), BinaryPrimitives.ReadUInt32BigEndian(image.AsSpan(24)));
    }

    [Fact]
    public void A_board_starts_iPXE_from_its_medium_and_without_the_kernels_arguments()
    {
        var script = Arm64.Script(new("https://10.77.0.1/"));
        Assert.Contains("load ${devtype} ${devnum}:${distro_bootpart} ${kernel_addr_r} /EFI/BOOT/BOOTAA64.EFI; then setenv bootargs; bootefi ${kernel_addr_r}; fi", script, StringComparison.Ordinal);
        Assert.Contains("tftpboot ${kernel_addr_r} 10.77.0.1:ipxe-arm64.efi", script, StringComparison.Ordinal);
        Assert.Contains("'ipxe dhcp && chain https://10.77.0.1/boot/${mac:hexhyp}'", script, StringComparison.Ordinal);
        Assert.DoesNotContain('\r', script);
    }

    [Fact]
    public void An_environment_is_one_variable_on_each_line()
    {
        var lines = Arm64.Environment(new("https://10.77.0.1/"), new("usb", 1, 2)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines, line => Assert.Matches("^[a-z_]+=", line));
        Assert.Contains("devtype=usb", lines);
        Assert.Contains("bootcmd=run slipway", lines);
    }

    [Theory]
    [InlineData("mmc 0:1", true)]
    [InlineData("mmc 0", false)]
    [InlineData("mmc;reset 0:1", false)]
    [InlineData("", false)]
    public void A_device_is_type_number_and_partition(string text, bool right) => Assert.Equal(right, UBootDevice.Parse(text) is not null);
}
