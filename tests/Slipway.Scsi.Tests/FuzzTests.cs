using CsCheck;
using Slipway.Disks;

namespace Slipway.Scsi.Tests;

/// <summary>No CDB and no parameter list is worse than a refusal with sense that names a reason.</summary>
public class FuzzTests
{
    // What the units say that they know: a command that is new is tried too.
    private static readonly byte[] KnownCodes = [.. Enumerable.Range(0, 3).SelectMany(lun =>
        new Initiator(Target()).Send("A3 0C 00 00 0000 00004000 00 00", lun: (ulong)lun).Good().Data[4..].Chunk(8).Select(command => command[0])).Distinct()];

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
                var target = Target();
                Initiator[] initiators = [new(target), new(target, "two")];
                for (var i = 0; i < commands.Length; i++)
                {
                    var (cdb, list, limit, lun) = commands[i];
                    Check(initiators[i % 2].Send(cdb, list, limit, (ulong)lun), limit);
                }
            },
            iter: 4_000);
    }

    private static TargetDevice Target()
    {
        var target = new TargetDevice("iqn.2026-01.test:target");
        target.Attach(0, new DiskUnit(new MemoryDisk(1 << 20), new UnitIdentity("volume")));
        target.Attach(1, new DiskUnit(new MemoryDisk(1 << 20) { IsReadOnly = true }, new UnitIdentity("fixed"), 4096));
        target.Attach(2, new CdRomUnit(new MemoryDisk(1 << 20), new UnitIdentity("disc")));
        return target;
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
