using SharpCompress.Compressors.Xz;

namespace Slipway.Volumes.Import;

/// <summary>
/// All streams of an .xz file, one after the other ("The .xz File Format", §2: a file is one or more streams, each
/// perhaps followed by padding). SharpCompress reads one and stops exactly behind it.
/// </summary>
internal sealed class XzContent(Stream packed) : ReadOnlyStream
{
    private XZStream? _stream = new(packed);

    public override int Read(Span<byte> buffer)
    {
        while (_stream is not null && buffer.Length > 0)
        {
            var count = _stream.Read(buffer);
            if (count > 0) return count;
            _stream = FindNext() ? new XZStream(packed) : null;
        }
        return 0;
    }

    // §2.2: padding is zeroes.
    private bool FindNext()
    {
        int value;
        while ((value = packed.ReadByte()) == 0)
        {
        }
        if (value < 0) return false;
        packed.Seek(-1, SeekOrigin.Current);
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) packed.Dispose();
        base.Dispose(disposing);
    }
}
