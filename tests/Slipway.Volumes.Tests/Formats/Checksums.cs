using System.Buffers.Binary;
using Slipway.Volumes.Formats;

namespace Slipway.Volumes.Tests.Formats;

/// <summary>Makes the checksums of a damaged image fit what it says.</summary>
internal static class Checksums
{
    public static void Mend(string format, byte[] image)
    {
        switch (format)
        {
            case "vpc":
                MendVhd(image.AsSpan(image.Length - 512), 64);
                if (image.AsSpan(512).StartsWith("cxsparse"u8)) MendVhd(image.AsSpan(512, 1024), 36);
                break;
            case "vhdx":
                foreach (var at in (long[])[VhdxFormat.FirstHeader, VhdxFormat.SecondHeader]) MendVhdx(image.AsSpan((int)at, VhdxFormat.HeaderSize));
                foreach (var at in (long[])[VhdxFormat.FirstRegionTable, VhdxFormat.SecondRegionTable]) MendVhdx(image.AsSpan((int)at, VhdxFormat.TableSize));
                break;
        }
    }

    private static void MendVhd(Span<byte> bytes, int field)
    {
        bytes.Slice(field, 4).Clear();
        uint sum = 0;
        foreach (var b in bytes) sum += b;
        BinaryPrimitives.WriteUInt32BigEndian(bytes[field..], ~sum);
    }

    private static void MendVhdx(Span<byte> bytes) => BinaryPrimitives.WriteUInt32LittleEndian(bytes[4..], VhdxFormat.Checksum(bytes));
}
