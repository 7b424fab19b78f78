using System.Buffers.Binary;
using Slipway.Volumes.Qcow2.Headers;
using Slipway.Volumes.Qcow2.Tables;

namespace Slipway.Volumes.Qcow2.Writing;

/// <summary>A new value for an entry of an L2 table, or of the L1 table, that is not in the file's table yet.</summary>
/// <param name="Index">The guest's cluster; for the L1 table its index.</param>
/// <param name="Bitmap">The second half of an extended L2 entry.</param>
/// <param name="Old">What the entry led to before, and leads to no more.</param>
internal readonly record struct Qcow2Change(bool IsL1, long Index, ulong Entry, ulong Bitmap = 0, Mapping Old = default)
{
    private const ulong L1Flag = 1UL << 63;
    private const int RestBytes = 24;

    /// <summary>The length of a record: number, place, entry, and a check that only who knows the journal's key can make.</summary>
    public static int RecordBytes(Qcow2Header header) => RestBytes + header.L2EntrySize;

    public void Put(Span<byte> record, ulong number, ulong key)
    {
        var place = (ulong)Index | (IsL1 ? L1Flag : 0);
        BinaryPrimitives.WriteUInt64BigEndian(record, number);
        BinaryPrimitives.WriteUInt64BigEndian(record[8..], place);
        BinaryPrimitives.WriteUInt64BigEndian(record[16..], Entry);
        if (HasBitmap(record)) BinaryPrimitives.WriteUInt64BigEndian(record[24..], Bitmap);
        BinaryPrimitives.WriteUInt64BigEndian(record[^8..], Check(record[..^8], key));
    }

    /// <summary>False for what is no record of this journal.</summary>
    public static bool TryGet(ReadOnlySpan<byte> record, ulong key, out ulong number, out Qcow2Change change)
    {
        number = BinaryPrimitives.ReadUInt64BigEndian(record);
        var place = BinaryPrimitives.ReadUInt64BigEndian(record[8..]);
        var entry = BinaryPrimitives.ReadUInt64BigEndian(record[16..]);
        var bitmap = HasBitmap(record) ? BinaryPrimitives.ReadUInt64BigEndian(record[24..]) : 0;
        change = new((place & L1Flag) != 0, (long)(place & ~L1Flag), entry, bitmap);
        return BinaryPrimitives.ReadUInt64BigEndian(record[^8..]) == Check(record[..^8], key);
    }

    private static bool HasBitmap(ReadOnlySpan<byte> record) => record.Length == RestBytes + L2Entry.ExtendedBytes;

    private static ulong Check(ReadOnlySpan<byte> record, ulong key)
    {
        var check = key;
        for (; record.Length > 0; record = record[8..])
        {
            // The finalizer of SplitMix64: every bit of the word reaches every bit of the check.
            check = (check ^ BinaryPrimitives.ReadUInt64BigEndian(record)) + 0x9E3779B97F4A7C15;
            check = (check ^ (check >> 30)) * 0xBF58476D1CE4E5B9;
            check = (check ^ (check >> 27)) * 0x94D049BB133111EB;
            check ^= check >> 31;
        }
        return check;
    }
}
