using Slipway.Iscsi.Digests;

namespace Slipway.Iscsi.Pdu;

/// <summary>What takes the PDUs that a <see cref="PduReceiver"/> finds in the byte stream.</summary>
internal interface IPduSink
{
    /// <summary>True while no more PDUs are wanted: replies wait to be sent first.</summary>
    bool IsPaused { get; }

    /// <summary>
    /// A header has come, with its additional header segments, before its data segment. <paramref name="data"/> is where the segment goes; empty: nowhere.
    /// False ends the connection, and nothing more is read.
    /// </summary>
    bool Begin(PduHeader header, ReadOnlySpan<byte> additional, out Memory<byte> data);

    /// <summary>The PDU is complete. <paramref name="intact"/> is false where the data digest did not fit.</summary>
    void End(PduHeader header, bool intact);

    /// <summary>The header digest did not fit: there is no telling what the header said (RFC 7143 §7.8).</summary>
    void HeaderDamaged();
}

/// <summary>
/// Cuts a byte stream into PDUs (RFC 7143 §11.1): header, additional header segments, header digest, data segment,
/// padding, data digest. Bytes may come in any pieces. Data goes from the caller's buffer right to where the sink wants
/// it, so nothing here grows with what a peer announces.
/// </summary>
internal sealed class PduReceiver(IPduSink sink)
{
    private enum Part
    {
        Header,
        Additional,
        HeaderDigest,
        Data,
        Padding,
        DataDigest,
    }

    private readonly byte[] _header = new byte[PduHeader.Size];
    private readonly byte[] _digest = new byte[Crc32C.Size];

    // At most 1,020 bytes: their length is one byte, in words.
    private byte[] _additional = [];
    private Part _part;
    private int _left = PduHeader.Size;
    private int _dataLength;
    private int _dataTaken;
    private Memory<byte> _data;
    private uint _crc;
    private bool _ended;

    public bool HeaderDigest { get; set; }

    public bool DataDigest { get; set; }

    /// <summary>No part of a PDU has come yet.</summary>
    public bool IsBetweenPdus => _part == Part.Header && _left == PduHeader.Size;

    /// <summary>Takes bytes; returns how many. Fewer than given: the sink is paused, or has ended the connection.</summary>
    public int Receive(ReadOnlySpan<byte> bytes)
    {
        var given = bytes.Length;
        while (!bytes.IsEmpty && !_ended && !(IsBetweenPdus && sink.IsPaused))
        {
            var taken = Math.Min(_left, bytes.Length);
            Take(bytes[..taken]);
            bytes = bytes[taken..];
            _left -= taken;
            while (_left == 0 && !_ended)
                Advance();
        }
        return given - bytes.Length;
    }

    private void Take(ReadOnlySpan<byte> bytes)
    {
        switch (_part)
        {
            case Part.Header:
                bytes.CopyTo(_header.AsSpan(PduHeader.Size - _left));
                break;
            case Part.Additional:
                bytes.CopyTo(_additional.AsSpan(_additional.Length - _left));
                if (HeaderDigest) _crc = Crc32C.Append(_crc, bytes);
                break;
            case Part.Data:
                if (!_data.IsEmpty) bytes.CopyTo(_data.Span[_dataTaken..]);
                _dataTaken += bytes.Length;
                if (DataDigest) _crc = Crc32C.Append(_crc, bytes);
                break;
            case Part.Padding:
                if (DataDigest) _crc = Crc32C.Append(_crc, bytes);
                break;
            default:
                bytes.CopyTo(_digest.AsSpan(Crc32C.Size - _left));
                break;
        }
    }

    /// <summary>From a part that is complete to the next; each may be empty.</summary>
    private void Advance()
    {
        var header = new PduHeader(_header);
        switch (_part)
        {
            case Part.Header:
                if (HeaderDigest) _crc = Crc32C.Append(Crc32C.Seed, _header);
                _additional = header.TotalAhsLength == 0 ? [] : new byte[header.TotalAhsLength * 4];
                Enter(Part.Additional, _additional.Length);
                break;
            case Part.Additional:
                Enter(Part.HeaderDigest, HeaderDigest ? Crc32C.Size : 0);
                break;
            case Part.HeaderDigest:
                BeginData(header);
                break;
            case Part.Data:
                Enter(Part.Padding, -_dataLength & 3);
                break;
            case Part.Padding:
                Enter(Part.DataDigest, DataDigest && _dataLength > 0 ? Crc32C.Size : 0);
                break;
            default:
                var intact = !DataDigest || _dataLength == 0 || Crc32C.Read(_digest) == Crc32C.Finish(_crc);
                Enter(Part.Header, PduHeader.Size);
                _data = default;
                sink.End(header, intact);
                break;
        }
    }

    private void BeginData(PduHeader header)
    {
        if (HeaderDigest && Crc32C.Read(_digest) != Crc32C.Finish(_crc))
        {
            _ended = true;
            sink.HeaderDamaged();
            return;
        }
        _crc = Crc32C.Seed;
        _dataTaken = 0;
        _dataLength = header.DataSegmentLength;
        if (!sink.Begin(header, _additional, out _data))
            _ended = true;
        Enter(Part.Data, _dataLength);
    }

    private void Enter(Part part, int length)
    {
        _part = part;
        _left = length;
    }
}
