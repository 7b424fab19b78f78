using System.Buffers.Binary;
using System.Text;
using Slipway.Tftp.Wire;

namespace Slipway.Tftp.Server;

public enum TftpTransferState
{
    Running,
    Done,

    /// <summary>The client only wanted to know the size, and said so with an error after the OACK.</summary>
    Probed,
    Failed,
}

/// <summary>
/// One file on its way to one client, without its socket. Packets and the passing of time go in; packets come out of
/// <c>send</c>. Blocks are counted in a 64-bit number whose low 16 bits are on the wire, so they roll over to 0.
/// </summary>
public sealed class TftpTransfer : IDisposable
{
    private static readonly TimeSpan LongestTimeout = TimeSpan.FromSeconds(8);

    private readonly ITftpContent _content;
    private readonly TftpOptions _options;
    private readonly TftpLimits _limits;
    private readonly TimeProvider _clock;
    private readonly Action<ReadOnlyMemory<byte>> _send;
    private readonly byte[] _packet;
    private readonly long _lastBlock;
    private readonly long _started;
    private bool _negotiating;
    private long _acknowledged;
    private long _sent;
    private bool _resent;
    private int _attempts;

    /// <param name="send">Must be done with the packet when it returns.</param>
    public TftpTransfer(TftpRequest request, ITftpContent content, TftpLimits limits, TimeProvider clock, Action<ReadOnlyMemory<byte>> send)
    {
        _content = content;
        _limits = limits;
        _clock = clock;
        _send = send;
        _options = new TftpOptions(request, limits, content.Length);
        _packet = new byte[TftpPackets.HeaderLength + _options.BlockSize];
        // The last block is the first short one: there is one even after a file of whole blocks.
        _lastBlock = content.Length / _options.BlockSize + 1;
        _negotiating = _options.Accepted.Count > 0;
        _started = clock.GetTimestamp();
    }

    public TftpTransferState State { get; private set; }

    /// <summary>Why it failed; empty otherwise.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>When <see cref="OnTime"/> has something to do.</summary>
    public DateTimeOffset Deadline { get; private set; }

    /// <summary>Bytes that the client has acknowledged.</summary>
    public long Acknowledged => Math.Min(_acknowledged * _options.BlockSize, _content.Length);

    public TimeSpan Elapsed => _clock.GetElapsedTime(_started);

    public int BlockSize => _options.BlockSize;

    public int WindowSize => _options.WindowSize;

    public void Start() => SendWindow();

    public void OnPacket(ReadOnlySpan<byte> packet)
    {
        if (State != TftpTransferState.Running || packet.Length < 4)
            return;
        var number = BinaryPrimitives.ReadUInt16BigEndian(packet[2..]);
        switch ((TftpOpcode)BinaryPrimitives.ReadUInt16BigEndian(packet))
        {
            case TftpOpcode.Acknowledgement:
                OnAcknowledgement(number);
                break;
            case TftpOpcode.Error:
                OnError(number, packet[4..]);
                break;
            default:
                Refuse(TftpError.IllegalOperation, "only acknowledgements belong into a transfer");
                break;
        }
    }

    /// <summary>Call it when <see cref="Deadline"/> has passed.</summary>
    public void OnTime()
    {
        if (State != TftpTransferState.Running || _clock.GetUtcNow() < Deadline)
            return;
        if (_attempts >= _limits.Attempts)
        {
            State = TftpTransferState.Failed;
            Reason = _negotiating ? "the client did not answer the options" : $"the client did not acknowledge block {_acknowledged + 1}";
            return;
        }
        SendWindow();
    }

    /// <summary>The client's port is closed.</summary>
    public void OnClientGone()
    {
        if (State != TftpTransferState.Running)
            return;
        State = _acknowledged == 0 && _options.AsksSize ? TftpTransferState.Probed : TftpTransferState.Failed;
        Reason = State == TftpTransferState.Failed ? "the client closed its port" : "";
    }

    public void Dispose() => _content.Dispose();

    private void OnAcknowledgement(ushort number)
    {
        if (_negotiating)
        {
            if (number != 0)
                return;
            _negotiating = false;
            Advance(0);
            return;
        }
        // How far past the last one: windows are far smaller than half the numbers, so this is unambiguous.
        var ahead = (ushort)(number - (ushort)_acknowledged);
        if (ahead == 0)
        {
            // RFC 7440 §4: with windows, the first block of one was lost. Once only, and never without windows: answering
            // each duplicate doubles every packet from then on (RFC 1123 §4.2.3.1).
            if (_options.WindowSize > 1 && !_resent)
            {
                _resent = true;
                SendWindow();
            }
            return;
        }
        if (_acknowledged + ahead <= _sent)
            Advance(_acknowledged + ahead);
    }

    private void Advance(long acknowledged)
    {
        _acknowledged = acknowledged;
        _attempts = 0;
        _resent = false;
        if (_acknowledged == _lastBlock)
            State = TftpTransferState.Done;
        else
            SendWindow();
    }

    private void SendWindow()
    {
        var timeout = _options.Timeout ?? _limits.Timeout * Math.Pow(2, _attempts);
        Deadline = _clock.GetUtcNow() + (_options.Timeout is null && timeout > LongestTimeout ? LongestTimeout : timeout);
        _attempts++;
        if (_negotiating)
        {
            _send(TftpPackets.OptionAcknowledgement(_options.Accepted));
            return;
        }
        for (var block = _acknowledged + 1; block <= Math.Min(_acknowledged + _options.WindowSize, _lastBlock); block++)
        {
            var offset = (block - 1) * _options.BlockSize;
            var length = (int)Math.Min(_options.BlockSize, _content.Length - offset);
            TftpPackets.WriteDataHeader(_packet, (ushort)block);
            if (_content.Read(offset, _packet.AsSpan(TftpPackets.HeaderLength, length)) != length)
            {
                Refuse(TftpError.NotDefined, "the file became shorter");
                return;
            }
            _send(_packet.AsMemory(0, TftpPackets.HeaderLength + length));
            _sent = Math.Max(_sent, block);
        }
    }

    private void OnError(ushort code, ReadOnlySpan<byte> text)
    {
        // PXE ROMs and edk2 ask for the size first and break off; the real request follows.
        if (_acknowledged == 0 && _options.AsksSize)
        {
            State = TftpTransferState.Probed;
            return;
        }
        State = TftpTransferState.Failed;
        var message = Encoding.UTF8.GetString(text[..Math.Min(text.Length, 128)].TrimEnd((byte)0));
        Reason = $"the client broke off with error {code} {new string([.. message.Where(c => !char.IsControl(c))])}".TrimEnd();
    }

    private void Refuse(TftpError error, string reason)
    {
        _send(TftpPackets.Error(error, reason));
        State = TftpTransferState.Failed;
        Reason = reason;
    }
}
