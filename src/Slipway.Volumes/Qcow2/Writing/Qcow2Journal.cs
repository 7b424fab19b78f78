using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using Slipway.Volumes.Qcow2.Files;
using Slipway.Volumes.Qcow2.Headers;
using Slipway.Volumes.Qcow2.Refcounts;

namespace Slipway.Volumes.Qcow2.Writing;

/// <summary>
/// Where acknowledged changes of the tables wait until the clusters that they lead to are on the medium. It is what lets
/// a write into a new cluster be acknowledged without a flush: the process may die (the journal is in the host's page
/// cache, as the cluster is), and a table on the medium never leads to a cluster that is not there.
/// </summary>
/// <remarks>
/// <para>It lies in clusters of the image that no table leads to, found by a header extension, which other programs leave
/// alone. It counts only while an autoclear bit is set, which every other program that writes the image clears, and only
/// within the boot of the host that it was written in: after a power cut it says nothing, since what it leads to may be
/// missing. When the image is closed its clusters are free again.</para>
/// <para>Two halves, written by turns: while the changes of one are brought into the tables, new ones go to the other.
/// Records are numbered, and the extension has the number of the first one that counts: those before are in the tables.</para>
/// </remarks>
internal sealed class Qcow2Journal(IImageFile file, Qcow2Header header, Qcow2Refcounts refcounts)
{
    /// <summary>The header extension: offset, length, boot of the host, key, first number. All zero where there is no journal.</summary>
    public const uint Extension = 0x534C504A;
    public const int ExtensionBytes = 48;
    public const ulong AutoclearBit = 1UL << 63;
    private const int BootAt = 16, KeyAt = 32, FirstAt = 40;
    private const int AutoclearAt = 88;
    private const long MostBytes = 8 << 20;
    private readonly int _recordsPerHalf = (int)(LengthFor(header) / 2 / Qcow2Change.RecordBytes(header));
    private readonly byte[] _record = new byte[Qcow2Change.RecordBytes(header)];
    private readonly ulong _key = BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(8));
    private long _offset;
    private ulong _number, _first;
    private int _half, _used;
    private bool _otherIsNeeded;

    /// <summary>The current half is full: time to bring its changes into the tables.</summary>
    public bool IsFull => _used == _recordsPerHalf;

    // Each half has room for all clusters of a small disk. A cluster that has subclusters changes more often: a flush for
    // each 100 MiB of small writes would cost more than the writes.
    private static long LengthFor(Qcow2Header header)
    {
        var (changes, most) = header.HasExtendedL2 ? (4UL, MostBytes) : (1UL, MostBytes / 4);
        var needed = (ulong)(header.Size >> header.ClusterBits) * changes * 2 * (ulong)Qcow2Change.RecordBytes(header);
        return Math.Max(Math.Min(most, (long)BitOperations.RoundUpToPowerOf2(needed)), header.ClusterSize);
    }

    /// <summary>Records a change; false where there is no room, or no journal. Under the metadata lock.</summary>
    public async ValueTask<bool> TryAppendAsync(Qcow2Change change)
    {
        if (header.JournalAt == 0 || file.Boot == default || IsFull) return false;
        if (_offset == 0) await BeginAsync();
        change.Put(_record, _number, _key);
        await file.WriteAsync(_offset + (_half * _recordsPerHalf + _used) * _record.Length, _record);
        _number++;
        _used++;
        return true;
    }

    /// <summary>New changes go to the other half, if that is free. Under the metadata lock.</summary>
    public void Turn()
    {
        _first = _number;
        if (_otherIsNeeded || _used == 0) return;
        (_half, _used, _otherIsNeeded) = (1 - _half, 0, true);
    }

    /// <summary>What was recorded before the last <see cref="Turn"/> is in the tables. Under the metadata lock.</summary>
    public async ValueTask ForgetAsync()
    {
        _otherIsNeeded = false;
        if (_offset == 0) return;
        var first = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(first, _first);
        await file.WriteAsync(header.JournalAt + FirstAt, first);
    }

    /// <summary>All changes are in the tables, and on the medium: the clusters go back.</summary>
    public async ValueTask EndAsync()
    {
        if (_offset == 0) return;
        await file.WriteAsync(AutoclearAt, new byte[8]);
        await refcounts.ReleaseAsync(_offset, LengthFor(header), CancellationToken.None);
        refcounts.DiscardFreed();
        (_offset, _used) = (0, 0);
    }

    /// <summary>The changes that an image's journal holds, in their order; none where it does not count.</summary>
    public static async ValueTask<List<Qcow2Change>> ReadAsync(IImageFile file, Qcow2Header header, CancellationToken cancellation)
    {
        if (header.JournalAt == 0 || file.Boot == default || (header.AutoclearFeatures & AutoclearBit) == 0 || (header.Features & Qcow2Features.Dirty) == 0) return [];
        var place = new byte[ExtensionBytes];
        await file.ReadAsync(header.JournalAt, place, cancellation);
        var offset = BinaryPrimitives.ReadInt64BigEndian(place);
        var length = BinaryPrimitives.ReadInt64BigEndian(place.AsSpan(8));
        if (offset <= 0 || offset > file.Length || length is <= 0 or > MostBytes || new Guid(place.AsSpan(BootAt, 16)) != file.Boot) return [];
        var key = BinaryPrimitives.ReadUInt64BigEndian(place.AsSpan(KeyAt));
        var records = new byte[length];
        await file.ReadAsync(offset, records, cancellation);
        var changes = new SortedDictionary<ulong, Qcow2Change>();
        var each = Qcow2Change.RecordBytes(header);
        for (var at = 0; at <= records.Length - each; at += each)
        {
            if (Qcow2Change.TryGet(records.AsSpan(at, each), key, out var number, out var change)) changes[number] = change;
        }
        var next = BinaryPrimitives.ReadUInt64BigEndian(place.AsSpan(FirstAt));
        return [.. changes.SkipWhile(c => c.Key < next).TakeWhile(c => c.Key == next++).Select(c => c.Value)];
    }

    /// <summary>
    /// Makes room for the extension in the header of an image that was made by another program. All of it has to be in the
    /// first sector, which is written as a whole; where it does not fit, the image has no journal.
    /// </summary>
    /// <returns>The header as it is then.</returns>
    public static async ValueTask<Qcow2Header> MakeRoomAsync(IImageFile file, Qcow2Header header, CancellationToken cancellation)
    {
        if (header.JournalAt != 0 || file.Boot == default || header.ClusterSize < 4096) return header;
        var old = new byte[header.ClusterSize];
        await file.ReadAsync(0, old, cancellation);
        var name = (int)BinaryPrimitives.ReadInt64BigEndian(old.AsSpan(8));
        var backing = name == 0 ? [] : old.AsSpan(name, BinaryPrimitives.ReadInt32BigEndian(old.AsSpan(16)));
        var format = old.AsSpan(new Qcow2Extensions(old, header.Length).Find(Qcow2Extensions.BackingFormat));
        if (Qcow2FirstSector.Make(old, header.Length, new byte[ExtensionBytes], backing, format) is not { } changed) return header;
        await file.WriteAsync(0, changed, cancellation);
        return header with { JournalAt = header.Length + 8 };
    }

    private async ValueTask BeginAsync()
    {
        var offset = await refcounts.AllocateManyAsync(LengthFor(header) >> header.ClusterBits, CancellationToken.None);
        var place = new byte[ExtensionBytes];
        BinaryPrimitives.WriteInt64BigEndian(place, offset);
        BinaryPrimitives.WriteInt64BigEndian(place.AsSpan(8), LengthFor(header));
        file.Boot.TryWriteBytes(place.AsSpan(BootAt));
        BinaryPrimitives.WriteUInt64BigEndian(place.AsSpan(KeyAt), _key);
        await file.WriteAsync(header.JournalAt, place);
        var autoclear = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(autoclear, AutoclearBit);
        await file.WriteAsync(AutoclearAt, autoclear);
        _offset = offset;
    }
}
