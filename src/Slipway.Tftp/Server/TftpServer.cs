using System.Net;
using Slipway.Tftp.Wire;

namespace Slipway.Tftp.Server;

/// <summary>Read-only TFTP without its sockets: decides about requests; each accepted one becomes a transfer.</summary>
public sealed class TftpServer(ITftpFiles files, TftpLimits limits, TimeProvider clock, ITftpObserver observer)
{
    public const int Port = 69;

    /// <summary>What a client sends inside a transfer: acknowledgements, and errors with a text.</summary>
    public const int MaxClientPacket = 512;

    /// <summary>
    /// The transfer to run, from a port of its own (RFC 1350 §4), or null with the refusal to send; null with none is no answer at all.
    /// </summary>
    public TftpTransfer? Accept(ReadOnlySpan<byte> packet, IPEndPoint client, Action<ReadOnlyMemory<byte>> send, out string name, out TftpRefusal? refusal)
    {
        name = "";
        if (!TftpRequest.TryRead(packet, out var request, out var error, out var reason))
        {
            // An error is never answered with an error (RFC 1350 §7): two servers would talk for ever.
            refusal = packet is [0, (byte)TftpOpcode.Error, ..] ? null : Refuse(client, name, error, reason);
            return null;
        }
        name = TftpName.Normalise(request.Name) ?? "";
        refusal = request switch
        {
            { Opcode: TftpOpcode.WriteRequest } => Refuse(client, request.Name, TftpError.AccessViolation, "this server is read-only"),
            // Boot files are bytes: a client that asks for text (netascii) gets the same ones, untranslated.
            { Mode: not ("octet" or "netascii") } => Refuse(client, request.Name, TftpError.IllegalOperation, "there is no such mode here"),
            _ when name.Length == 0 => Refuse(client, request.Name, TftpError.AccessViolation, "no such name can be served"),
            _ => null,
        };
        if (refusal is not null)
            return null;
        var answer = files.Open(name, client);
        if (answer.Content is not { } content)
        {
            refusal = Refuse(client, name, answer.Error, answer.Reason);
            return null;
        }
        observer.Observe(new TftpEvent(TftpEventKind.Started, client, name, 0, TimeSpan.Zero, ""));
        return new TftpTransfer(request, content, limits, clock, send);
    }

    /// <summary>Tells the observer how a transfer ended.</summary>
    public void Ended(TftpTransfer transfer, IPEndPoint client, string name)
    {
        var (kind, reason) = transfer.State switch
        {
            TftpTransferState.Done => (TftpEventKind.Done, ""),
            TftpTransferState.Probed => (TftpEventKind.Probed, ""),
            TftpTransferState.Failed => (TftpEventKind.Failed, transfer.Reason),
            _ => (TftpEventKind.Failed, "the server stopped"),
        };
        observer.Observe(new TftpEvent(kind, client, name, transfer.Acknowledged, transfer.Elapsed, reason));
    }

    private TftpRefusal Refuse(IPEndPoint client, string name, TftpError error, string reason)
    {
        var shown = new string([.. name.Where(c => !char.IsControl(c)).Take(128)]);
        observer.Observe(new TftpEvent(TftpEventKind.Refused, client, shown, 0, TimeSpan.Zero, reason));
        return new TftpRefusal(shown, reason, TftpPackets.Error(error, reason));
    }
}
