using System.Text;

namespace Slipway.Demo.Image;

/// <summary>An empty GRUB environment block (GRUB manual, "The GRUB environment block"): always 1024 bytes, so that it can
/// be written in place.</summary>
internal static class GrubEnvironment
{
    public const int Size = 1024;

    public static byte[] Empty() => Encoding.ASCII.GetBytes("# GRUB Environment Block\n".PadRight(Size, '#'));
}
