using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Slipway.Scsi.Commands.Reports;

namespace Slipway.Scsi.Commands.Discovery;

/// <summary>VPD page 83h (SPC-4 §7.8.6): the designators of the unit, of the port it is seen by and of the target.</summary>
internal static class DeviceIdentification
{
    private const byte OfUnit = 0x00;
    private const byte OfPort = 0x10;
    private const byte OfTarget = 0x20;
    private const byte Binary = 1;
    private const byte Ascii = 2;
    private const byte Utf8 = 3;

    // SPC-4 §7.6.1: the protocol identifier of iSCSI; PIV says that it is valid.
    private const byte ProtocolIscsi = 0x50;
    private const byte ProtocolIdentifierValid = 0x80;

    public static int Write(BlockUnit unit, PortNexus port, Span<byte> body)
    {
        var identity = unit.Identity;
        // SPC-4 §7.8.6.6: NAA.
        var end = Begin(body, Binary, OfUnit | 3, identity.Naa.Length);
        identity.Naa.Span.CopyTo(body[4..]);

        // SPC-4 §7.8.6.4: the vendor, then what is unique below it.
        var length = 8 + identity.Serial.Length;
        var descriptor = body[end..];
        end += Begin(descriptor, Ascii, OfUnit | 1, length);
        UnitIdentity.WritePadded(identity.Vendor, descriptor.Slice(4, 8));
        Encoding.ASCII.GetBytes(identity.Serial, descriptor[12..]);

        // SPC-4 §7.8.6.7: the relative target port.
        descriptor = body[end..];
        end += Begin(descriptor, ProtocolIscsi | Binary, ProtocolIdentifierValid | OfPort | 4, 4);
        BinaryPrimitives.WriteUInt16BigEndian(descriptor[6..], port.RelativeTargetPort);

        // SPC-4 §7.8.6.8: the target port group, of units that can be asked about it.
        if (unit is DiskUnit)
        {
            descriptor = body[end..];
            end += Begin(descriptor, ProtocolIscsi | Binary, ProtocolIdentifierValid | OfPort | 5, 4);
            BinaryPrimitives.WriteUInt16BigEndian(descriptor[6..], ReportTargetPortGroups.Group);
        }

        // SPC-4 §7.8.6.11, RFC 7143 §4.4.1: names of the target port and of the target device.
        var portName = port.Target.Name + ",t,0x" + port.RelativeTargetPort.ToString("x4", CultureInfo.InvariantCulture);
        end += WriteName(body[end..], OfPort, portName);
        end += WriteName(body[end..], OfTarget, port.Target.Name);
        return end;
    }

    // SPC-4 §7.8.6.11: null-terminated, and padded with nulls to a multiple of four.
    private static int WriteName(Span<byte> descriptor, byte association, string name)
    {
        var length = Encoding.UTF8.GetByteCount(name) / 4 * 4 + 4;
        var total = Begin(descriptor, ProtocolIscsi | Utf8, (byte)(ProtocolIdentifierValid | association | 8), length);
        Encoding.UTF8.GetBytes(name, descriptor[4..]);
        return total;
    }

    private static int Begin(Span<byte> descriptor, byte codeSet, byte kind, int length)
    {
        descriptor[0] = codeSet;
        descriptor[1] = kind;
        descriptor[3] = (byte)length;
        return 4 + length;
    }
}
