using System.Buffers.Binary;
using System.Text;
using Slipway.Scsi.Commands.Copy;

namespace Slipway.Scsi.Commands.Discovery;

/// <summary>The vital product data pages (SPC-4 §7.8, SBC-3 §6.6).</summary>
internal static class VitalProductData
{
    public const int MaxLength = 1024;
    private const int HeaderLength = 4;

    /// <summary>Writes one page; 0 where the unit does not have it.</summary>
    public static int Write(byte page, BlockUnit unit, UnitNexus nexus, Span<byte> data)
    {
        if (!unit.VitalProductPages.Contains(page))
            return 0;
        data.Clear();
        var body = data[HeaderLength..];
        var length = page switch
        {
            0x00 => WriteSupported(unit.VitalProductPages, body),
            0x80 => Encoding.ASCII.GetBytes(unit.Identity.Serial, body),
            0x83 => DeviceIdentification.Write(unit, nexus.Port, body),
            0x86 => WriteExtendedInquiry(unit, body),
            0x8F => ThirdPartyCopy.Write(body),
            0xB0 => WriteBlockLimits(unit, body),
            0xB1 => WriteBlockDeviceCharacteristics(body),
            _ => WriteLogicalBlockProvisioning(body),
        };
        data[0] = unit.DeviceType;
        data[1] = page;
        BinaryPrimitives.WriteUInt16BigEndian(data[2..], (ushort)length);
        return HeaderLength + length;
    }

    private static int WriteSupported(ReadOnlySpan<byte> pages, Span<byte> body)
    {
        pages.CopyTo(body);
        return pages.Length;
    }

    // SPC-4 §7.8.7
    private static int WriteExtendedInquiry(BlockUnit unit, Span<byte> body)
    {
        body[1] = 0x07; // HEADSUP, ORDSUP, SIMPSUP
        if (unit is DiskUnit)
            body[2] = 0x01; // V_SUP: a volatile cache, which SYNCHRONIZE CACHE and FUA take into account
        return 60;
    }

    // SBC-3 §6.6.3
    private static int WriteBlockLimits(BlockUnit unit, Span<byte> body)
    {
        var limits = unit.Limits;
        body[0] = 0x01; // WSNZ
        body[1] = (byte)limits.CompareAndWrite;
        BinaryPrimitives.WriteUInt16BigEndian(body[2..], (ushort)limits.Granularity);
        BinaryPrimitives.WriteUInt32BigEndian(body[4..], limits.Transfer);
        BinaryPrimitives.WriteUInt32BigEndian(body[16..], BlockLimits.Unmap);
        BinaryPrimitives.WriteUInt32BigEndian(body[20..], BlockLimits.UnmapDescriptors);
        BinaryPrimitives.WriteUInt32BigEndian(body[24..], limits.Granularity);
        body[28] = 0x80; // UGAVALID, alignment 0
        BinaryPrimitives.WriteUInt64BigEndian(body[32..], limits.WriteSame);
        if (unit is DiskUnit { AtomicWrites: not null })
            BinaryPrimitives.WriteUInt32BigEndian(body[40..], BlockLimits.AtomicTransfer);
        return 60;
    }

    // SBC-3 §6.6.2: MEDIUM ROTATION RATE 0001h, a medium that does not rotate: seeks need no elevator.
    private static int WriteBlockDeviceCharacteristics(Span<byte> body)
    {
        BinaryPrimitives.WriteUInt16BigEndian(body, 1);
        body[3] = 0x40; // WABEREQ 01b: after a block erase, blocks can be read without being written first
        return 60;
    }

    // SBC-3 §6.6.4: LBPU, LBPWS, LBPWS10, LBPRZ; provisioning type 2, thin.
    private static int WriteLogicalBlockProvisioning(Span<byte> body)
    {
        body[1] = 0xE4;
        body[2] = 0x02;
        return 4;
    }
}
