using System.Buffers.Binary;

namespace Slipway.Scsi.Commands.Optical;

/// <summary>GET CONFIGURATION (MMC-6 §6.6): what the drive can do, and what with the medium that is in it.</summary>
internal static class GetConfiguration
{
    private const ushort CdRom = 0x0008;
    private const ushort DvdRom = 0x0010;
    private const int HeaderLength = 8;

    public static readonly CommandRow[] Rows =
    [
        CommandRow.For<CdRomUnit>(
            "GET CONFIGURATION", "46 03 FF FF 00 00 00 FF FF 00", CommandTraits.PassesUnitAttention, Execute),
    ];

    // The RT field.
    private enum Request
    {
        All = 0,
        Current = 1,
        One = 2,
    }

    private static ValueTask Execute(CdRomUnit unit, UnitNexus nexus, ScsiTask task, CancellationToken cancellation)
    {
        var request = (Request)(task.Cdb[1] & 3);
        if (request > Request.One)
            return unit.RefuseField(task, 1, 1);
        var starting = BinaryPrimitives.ReadUInt16BigEndian(task.Cdb[2..]);
        var profile = unit.Medium.IsEjected ? 0 : unit.HoldsDvd ? DvdRom : CdRom;
        Span<byte> data = stackalloc byte[128];
        data.Clear();
        var length = HeaderLength;

        // Profile List: the most capable first.
        ReadOnlySpan<byte> profiles = [0x00, 0x10, IsCurrent(profile == DvdRom), 0, 0x00, 0x08, IsCurrent(profile == CdRom), 0];
        Add(data, ref length, 0x0000, version: 0, isPersistent: true, isCurrent: true, profiles);

        // Core: a SCSI interface, DBE; and Morphing, of which OCEvent tells by GET EVENT STATUS NOTIFICATION.
        Add(data, ref length, 0x0001, version: 2, isPersistent: true, isCurrent: true, [0, 0, 0, 1, 1, 0, 0, 0]);
        Add(data, ref length, 0x0002, version: 1, isPersistent: true, isCurrent: true, [2, 0, 0, 0]);

        // Removable Medium: a tray that loads, ejects and locks.
        Add(data, ref length, 0x0003, version: 2, isPersistent: true, isCurrent: true, [0x39, 0, 0, 0]);

        // Random Readable: blocks of 2048, read singly from a CD and by 16 from a DVD.
        var blocking = (byte)(profile == DvdRom ? 16 : 1);
        Add(data, ref length, 0x0010, version: 0, isPersistent: false, profile != 0, [0, 0, 0x08, 0, 0, blocking, 0, 0]);
        Add(data, ref length, 0x001D, version: 0, isPersistent: false, profile == CdRom, []); // Multi-Read
        Add(data, ref length, 0x001E, version: 2, isPersistent: false, profile == CdRom, [0, 0, 0, 0]); // CD Read
        Add(data, ref length, 0x001F, version: 0, isPersistent: false, profile == DvdRom, []); // DVD Read
        Add(data, ref length, 0x0100, version: 0, isPersistent: true, isCurrent: true, []); // Power Management
        Add(data, ref length, 0x0105, version: 0, isPersistent: true, isCurrent: true, []); // Timeout

        BinaryPrimitives.WriteInt32BigEndian(data, length - 4);
        BinaryPrimitives.WriteUInt16BigEndian(data[6..], (ushort)profile);
        return task.Answer(data[..length], BinaryPrimitives.ReadUInt16BigEndian(task.Cdb[7..]));

        void Add(
            Span<byte> all, ref int at, ushort code, int version, bool isPersistent, bool isCurrent, ReadOnlySpan<byte> content)
        {
            if (request == Request.One ? code != starting : code < starting || (request == Request.Current && !isCurrent))
                return;
            BinaryPrimitives.WriteUInt16BigEndian(all[at..], code);
            all[at + 2] = (byte)((version << 2) | (isPersistent ? 2 : 0) | (isCurrent ? 1 : 0));
            all[at + 3] = (byte)content.Length;
            content.CopyTo(all[(at + 4)..]);
            at += 4 + content.Length;
        }
    }

    private static byte IsCurrent(bool value) => (byte)(value ? 1 : 0);
}
