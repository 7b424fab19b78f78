using CsCheck;
using Slipway.Disks;

namespace Slipway.Scsi.Tests;

/// <summary>No CDB and no parameter list is worse than a refusal with sense that names a reason.</summary>
public class FuzzTests
{
    private static readonly byte[] KnownCodes =
    [
        0x00, 0x03, 0x08, 0x0A, 0x12, 0x15, 0x16, 0x17, 0x1A, 0x1B, 0x1E, 0x25, 0x28, 0x2A, 0x2E, 0x2F, 0x34, 0x35, 0x37, 0x41, 0x42,
        0x48, 0x48, 0x4D, 0x55, 0x56, 0x57, 0x5A, 0x5E, 0x5F, 0x83, 0x84, 0x88, 0x89, 0x8A, 0x8B, 0x8E, 0x8F, 0x90, 0x91, 0x93, 0x9E, 0xA0,
        0xA3, 0xA8, 0xAA, 0xAE, 0xAF, 0xB7, 0x2B, 0x43, 0x46, 0x4A, 0x51, 0x52, 0xAD, 0xBB, 0xBD, 0xBE,
    ];

    // Small values reach further than uniform ones: most fields refuse what is large.
    private static readonly Gen<byte> Byte = Gen.Frequency((6, Gen.Const((byte)0)), (3, Gen.Byte[0, 8]), (1, Gen.Byte));

    private static readonly Gen<byte[]> Cdbs =
        Gen.Select(Gen.Frequency((9, Gen.OneOf(KnownCodes)), (1, Gen.Byte)), Byte.Array[15])
            .Select((code, rest) => (byte[])[code, .. rest]);

    private static readonly Gen<byte[]> Lists = Gen.OneOf(
        Byte.Array[0, 64], Gen.Int[1, 4].SelectMany(n => Byte.Array[512 * n]));

    [Fact]
    public void Any_command_ends_with_a_status_and_with_sense_where_it_is_due()
    {
        Gen.Select(Cdbs, Lists, Gen.Int[0, 2000], Gen.Int[0, 3]).Array[1, 20].Sample(
            commands =>
            {
                var target = new TargetDevice("iqn.2026-01.test:target");
                target.Attach(0, new DiskUnit(new MemoryDisk(1 << 20), new UnitIdentity("volume")));
                target.Attach(1, new DiskUnit(new MemoryDisk(1 << 20) { IsReadOnly = true }, new UnitIdentity("fixed"), 4096));
                target.Attach(2, new CdRomUnit(new MemoryDisk(1 << 20), new UnitIdentity("disc")));
                Initiator[] initiators = [new(target), new(target, "two")];
                for (var i = 0; i < commands.Length; i++)
                {
                    var (cdb, list, limit, lun) = commands[i];
                    Check(initiators[i % 2].Send(cdb, list, limit, (ulong)lun), limit);
                }
            },
            iter: 4_000);
    }

    private static void Check(Answer answer, int limit)
    {
        Assert.InRange(answer.Data.Length, 0, limit);
        switch (answer.Status)
        {
            case ScsiStatus.Good:
                Assert.Empty(answer.Sense);
                Assert.True(answer.TransferLength >= answer.Data.Length);
                break;
            case ScsiStatus.CheckCondition:
                Assert.Contains(answer.Sense[0] & 0x7F, new[] { 0x70, 0x72 });
                Assert.Equal(answer.Sense.Length - 8, answer.Sense[7]);
                Assert.NotEqual(SenseKey.NoSense, answer.Code.Key);
                Assert.NotEqual(0, answer.Code.Additional);
                Assert.Empty(answer.Data);
                break;
            default:
                Assert.Equal(ScsiStatus.ReservationConflict, answer.Status);
                Assert.Empty(answer.Data);
                break;
        }
    }
}
