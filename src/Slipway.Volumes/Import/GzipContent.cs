using System.IO.Compression;
using System.Security.Cryptography;

namespace Slipway.Volumes.Import;

/// <summary>
/// A .gz file's bytes, all members of it. .NET's <see cref="GZipStream"/> ends without a word where a file was cut short.
/// So it is given one more member behind the file, with bytes that nobody can guess: only a file that is whole leads to
/// them. They are held back here.
/// </summary>
internal sealed class GzipContent : ReadOnlyStream
{
    private const int SealBytes = 16;
    private readonly byte[] _seal = RandomNumberGenerator.GetBytes(SealBytes);
    private readonly byte[] _held = new byte[SealBytes];
    private readonly GZipStream _stream;
    private byte[] _next = [];
    private int _heldCount;
    private bool _ended;

    public GzipContent(Stream packed)
    {
        var member = new MemoryStream();
        using (var gzip = new GZipStream(member, CompressionLevel.NoCompression, leaveOpen: true)) gzip.Write(_seal);
        member.Position = 0;
        _stream = new(new Sequence(packed, member), CompressionMode.Decompress);
    }

    public override int Read(Span<byte> buffer)
    {
        if (_ended || buffer.Length == 0) return 0;
        if (_next.Length < buffer.Length + SealBytes) _next = new byte[buffer.Length + SealBytes];
        while (true)
        {
            // What was held, then what comes; the last bytes of both are held again.
            _held.AsSpan(0, _heldCount).CopyTo(_next);
            var count = _stream.Read(_next.AsSpan(_heldCount, buffer.Length));
            if (count == 0)
            {
                _ended = true;
                return _heldCount == SealBytes && _held.AsSpan().SequenceEqual(_seal)
                    ? 0
                    : throw new InvalidDataException("the gzip file is cut short, or has other bytes behind its end");
            }
            var there = _heldCount + count;
            var free = Math.Max(0, there - SealBytes);
            _next.AsSpan(0, free).CopyTo(buffer);
            _heldCount = there - free;
            _next.AsSpan(free, _heldCount).CopyTo(_held);
            if (free > 0) return free;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _stream.Dispose();
        base.Dispose(disposing);
    }

    private sealed class Sequence(Stream first, Stream second) : ReadOnlyStream
    {
        private bool _isSecond;

        public override int Read(Span<byte> buffer)
        {
            if (!_isSecond)
            {
                var count = first.Read(buffer);
                if (count > 0 || buffer.Length == 0) return count;
                _isSecond = true;
            }
            return second.Read(buffer);
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing) first.Dispose();
            base.Dispose(disposing);
        }
    }
}
