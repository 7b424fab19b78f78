using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace Slipway.Ipxe.UBoot;

/// <summary>
/// U-Boot's legacy image of a script (<c>boot.scr</c>; include/image.h, <c>struct legacy_img_hdr</c>), as
/// <c>mkimage -T script</c> writes it. The same script gives the same bytes: the time in it is 0.
/// </summary>
public static class ScriptImage
{
    private const int HeaderSize = 64, NameSize = 32;
    private const uint Magic = 0x27051956;
    private const byte Linux = 5, Script = 6;

    /// <param name="name">What U-Boot prints when it runs it; up to 32 bytes.</param>
    public static byte[] Create(string script, string name)
    {
        var text = Encoding.ASCII.GetBytes(script);
        var image = new byte[HeaderSize + 8 + text.Length];
        // The list of lengths that ends with 0 is that of images with several parts: a script has one.
        BinaryPrimitives.WriteInt32BigEndian(image.AsSpan(HeaderSize), text.Length);
        text.CopyTo(image, HeaderSize + 8);

        var header = image.AsSpan(0, HeaderSize);
        BinaryPrimitives.WriteUInt32BigEndian(header, Magic);
        BinaryPrimitives.WriteInt32BigEndian(header[12..], image.Length - HeaderSize);
        BinaryPrimitives.WriteUInt32BigEndian(header[24..], Crc32.HashToUInt32(image.AsSpan(HeaderSize)));
        header[28] = Linux;
        // Architecture 0: a script is for any, and U-Boot does not look (cmd/source.c).
        header[30] = Script;
        Encoding.ASCII.GetBytes(name.AsSpan(0, Math.Min(name.Length, NameSize)), header[32..]);
        // Over the header with this field 0.
        BinaryPrimitives.WriteUInt32BigEndian(header[4..], Crc32.HashToUInt32(header));
        return image;
    }
}
