using System.Buffers.Binary;
using Slipway.Volumes.Qcow2.Headers;
using Slipway.Volumes.Qcow2.Writing;

namespace Slipway.Volumes.Qcow2.Tables;

/// <summary>
/// An L2 table in memory. One at a time changes it, who holds the metadata lock; readers take no lock. An extended entry is
/// two words, so a reader that sees a change under way looks again: half of one with half of another would lead it to
/// bytes that were never the guest's.
/// </summary>
internal sealed class L2Table(ulong[] words, Qcow2Header header)
{
    private readonly bool _isExtended = header.HasExtendedL2;
    private readonly int _mask = header.L2Entries - 1;
    private int _changes;

    public static L2Table Empty(Qcow2Header header) => new(new ulong[header.ClusterSize / 8], header);

    /// <summary>The entry of a cluster; only the last bits of the cluster's number count.</summary>
    public (ulong Descriptor, ulong Bitmap) this[long cluster]
    {
        get
        {
            var index = (int)cluster & _mask;
            if (!_isExtended) return (Volatile.Read(ref words[index]), 0);
            for (var wait = default(SpinWait); ; wait.SpinOnce())
            {
                var before = Volatile.Read(ref _changes);
                var entry = (Volatile.Read(ref words[index * 2]), Volatile.Read(ref words[index * 2 + 1]));
                if ((before & 1) == 0 && Volatile.Read(ref _changes) == before) return entry;
            }
        }
        set
        {
            var index = (int)cluster & _mask;
            if (!_isExtended)
            {
                Volatile.Write(ref words[index], value.Descriptor);
                return;
            }
            // Odd while it is under way. Both are full fences.
            Interlocked.Increment(ref _changes);
            (words[index * 2], words[index * 2 + 1]) = value;
            Interlocked.Increment(ref _changes);
        }
    }

    /// <summary>Writes an entry as the file has it.</summary>
    public static void Put(Span<byte> bytes, Qcow2Change change, Qcow2Header header)
    {
        BinaryPrimitives.WriteUInt64BigEndian(bytes, change.Entry);
        if (header.HasExtendedL2) BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], change.Bitmap);
    }
}
