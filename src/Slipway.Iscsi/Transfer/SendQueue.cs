namespace Slipway.Iscsi.Transfer;

/// <summary>What gives a lent buffer back when its last byte has been sent.</summary>
public interface ISentOwner
{
    void Sent();
}

/// <summary>
/// Bytes on their way out, in order: headers and small data in chunks of the queue's own, payload by reference to the
/// buffers it lies in. An empty queue holds no buffer at all: a thousand idle connections cost little.
/// </summary>
public sealed class SendQueue(BufferPool pool)
{
    private const int ChunkSize = 4096;

    private struct Segment
    {
        public byte[] Array;
        public int Offset;
        public int Count;
        public ISentOwner? Owner;

        /// <summary>The last segment in a chunk of ours that is full.</summary>
        public bool EndsChunk;
    }

    private Segment[] _ring = new Segment[8];
    private int _head;
    private int _count;
    private byte[]? _chunk;
    private int _used;

    /// <summary>Bytes that wait to be sent.</summary>
    public long Length { get; private set; }

    public int SegmentCount => _count;

    public bool IsEmpty => _count == 0;

    /// <summary>Room for bytes that the caller fills in before the next call.</summary>
    public Span<byte> Append(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, ChunkSize);
        if (_chunk is null || _used + length > ChunkSize)
            NewChunk();
        var extends = _count > 0 && Last is { Owner: null } last && last.Array == _chunk && last.Offset + last.Count == _used;
        if (extends)
            Last.Count += length;
        else
            Push(new Segment { Array = _chunk!, Offset = _used, Count = length });
        Length += length;
        _used += length;
        return _chunk.AsSpan(_used - length, length);
    }

    /// <summary>Copies bytes in, however many.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var run = Math.Min(bytes.Length, ChunkSize);
            bytes[..run].CopyTo(Append(run));
            bytes = bytes[run..];
        }
    }

    /// <summary>Payload where it lies. <paramref name="owner"/> hears when it has been sent, and all before it.</summary>
    public void Reference(ArraySegment<byte> bytes, ISentOwner? owner)
    {
        Push(new Segment { Array = bytes.Array!, Offset = bytes.Offset, Count = bytes.Count, Owner = owner });
        Length += bytes.Count;
    }

    /// <summary>The bytes next to go, at most <paramref name="destination"/>'s length of pieces; returns how many.</summary>
    public int Peek(Span<ArraySegment<byte>> destination)
    {
        var count = Math.Min(destination.Length, _count);
        for (var i = 0; i < count; i++)
        {
            ref var segment = ref _ring[(_head + i) & (_ring.Length - 1)];
            destination[i] = new(segment.Array, segment.Offset, segment.Count);
        }
        return count;
    }

    /// <summary>The first bytes have been sent.</summary>
    public void Sent(long bytes)
    {
        Length -= bytes;
        while (_count > 0)
        {
            ref var first = ref _ring[_head];
            if (bytes < first.Count)
            {
                first.Offset += (int)bytes;
                first.Count -= (int)bytes;
                return;
            }
            bytes -= first.Count;
            Pop();
        }
        ReleaseChunk();
    }

    /// <summary>Gives everything back; nothing of it may still be in use by the kernel.</summary>
    public void Discard()
    {
        while (_count > 0)
            Pop();
        Length = 0;
        ReleaseChunk();
    }

    private ref Segment Last => ref _ring[(_head + _count - 1) & (_ring.Length - 1)];

    private void Pop()
    {
        var first = _ring[_head];
        _ring[_head] = default;
        _head = (_head + 1) & (_ring.Length - 1);
        _count--;
        first.Owner?.Sent();
        if (first.EndsChunk)
            pool.Return(first.Array);
    }

    private void Push(Segment segment)
    {
        if (_count == _ring.Length)
        {
            var larger = new Segment[_ring.Length * 2];
            for (var i = 0; i < _count; i++)
                larger[i] = _ring[(_head + i) & (_ring.Length - 1)];
            _ring = larger;
            _head = 0;
        }
        _ring[(_head + _count++) & (_ring.Length - 1)] = segment;
    }

    private void NewChunk()
    {
        if (_chunk is not null)
            RetireChunk(_chunk);
        _chunk = pool.Rent(ChunkSize);
        _used = 0;
    }

    /// <summary>The chunk goes back with the last segment that lies in it.</summary>
    private void RetireChunk(byte[] chunk)
    {
        for (var i = _count - 1; i >= 0; i--)
        {
            ref var segment = ref _ring[(_head + i) & (_ring.Length - 1)];
            if (segment.Array != chunk)
                continue;
            segment.EndsChunk = true;
            return;
        }
        pool.Return(chunk);
    }

    private void ReleaseChunk()
    {
        if (_chunk is null)
            return;
        pool.Return(_chunk);
        _chunk = null;
        _used = 0;
    }
}
