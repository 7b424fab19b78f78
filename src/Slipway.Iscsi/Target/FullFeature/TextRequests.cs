using System.Buffers;
using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Text;

namespace Slipway.Iscsi.Target.FullFeature;

/// <summary>
/// Text requests in the full feature phase (RFC 7143 §11.10, §11.11): SendTargets, and the few keys that may still be
/// declared. Long texts come, and long answers go, in several PDUs.
/// </summary>
internal sealed class TextRequests(FullFeaturePhase phase)
{
    private readonly ArrayBufferWriter<byte> _request = new(1);
    private byte[] _answer = [];
    private int _sent;
    private uint _lastTag;

    // Of the response that the initiator may go on from.
    private uint _transferTag = PduHeader.ReservedTag;

    public void Handle(TextRequestPdu request, ReadOnlySpan<byte> segment)
    {
        var continues = request.TargetTransferTag != PduHeader.ReservedTag;
        // §11.10.2: what goes on is not final.
        if (request is { Final: true, Continue: true })
        {
            phase.Reject(request.Header, RejectReason.ProtocolError);
            Forget();
            return;
        }
        // §11.10.4: the tag of the answer that goes on, or none.
        if (continues && request.TargetTransferTag != _transferTag)
        {
            phase.Reject(request.Header, RejectReason.InvalidPduField);
            return;
        }
        if (!continues)
            Forget();
        if (_request.WrittenCount + segment.Length > phase.Node.Limits.TextLength)
        {
            phase.Reject(request.Header, RejectReason.ProtocolError);
            Forget();
            return;
        }
        _request.Write(segment);
        if (request.Continue)
        {
            Send(request, [], final: false, more: false);
            return;
        }
        if (_sent == _answer.Length && !Answer(request))
            return;
        SendPart(request);
    }

    private bool Answer(TextRequestPdu request)
    {
        var keys = new TextKeys();
        var answer = new TextKeys();
        var parsed = TextKeys.TryParse(_request.WrittenSpan, keys, out _);
        _request.ResetWrittenCount();
        if (!parsed)
        {
            phase.Reject(request.Header, RejectReason.ProtocolError);
            return false;
        }
        if (keys.Take(Keys.SendTargets) is { } wanted)
            SendTargets(wanted, answer);
        foreach (var (key, value) in keys.Pairs.ToArray())
        {
            // §13: what belongs to the login is not negotiated again.
            if (NegotiationTable.Find(key) is { } row && (row.Use & KeyUse.FullFeature) == 0)
            {
                keys.Take(key);
                answer.Add(key, TextValues.Reject);
            }
        }
        _ = new Negotiator(phase.Node.Limits.Offer, phase.Parameters).Answer(keys, answer, KeyUse.FullFeature);
        _answer = answer.ToBytes();
        _sent = 0;
        return true;
    }

    /// <summary>RFC 7143 appendix C. "All" only in a discovery session; an empty value: the session's own target.</summary>
    private void SendTargets(string wanted, TextKeys answer)
    {
        var facts = phase.Facts;
        var own = phase.IsDiscovery ? null : facts.TargetName;
        if ((wanted == "All" && own is not null) || (wanted.Length == 0 && own is null))
        {
            answer.Add(Keys.SendTargets, TextValues.Reject);
            return;
        }
        foreach (var target in phase.Node.Directory.Discover(facts))
        {
            if ((own is not null && target.Name != own) || (wanted is not ("" or "All") && target.Name != wanted))
                continue;
            answer.Add(Keys.TargetName, target.Name);
            // What a portal is bound to may be any address; what a connection has come to is one that clients reach.
            foreach (var portal in target.Portals.Count > 0 ? target.Portals : [facts.Portal])
            {
                var address = portal.Port == 0 ? new(portal.Address, facts.Portal.Port) : portal;
                answer.Add(Keys.TargetAddress, $"{Portal.Text(address)},{phase.Node.Directory.PortalGroupOf(address)}");
            }
        }
    }

    private void SendPart(TextRequestPdu request)
    {
        var part = _answer.AsSpan(_sent, Math.Min(_answer.Length - _sent, phase.Parameters.PeerMaxRecvDataSegmentLength));
        _sent += part.Length;
        var last = _sent == _answer.Length;
        Send(request, part, final: last && request.Final, more: !last);
        if (last)
            Forget();
    }

    private void Send(TextRequestPdu request, ReadOnlySpan<byte> data, bool final, bool more)
    {
        Span<byte> bytes = stackalloc byte[PduHeader.Size];
        var response = TextResponsePdu.Begin(bytes);
        response.Final = final;
        response.Continue = more;
        response.Lun = request.Lun;
        response.InitiatorTaskTag = request.InitiatorTaskTag;
        // §11.11.4: a final response has no tag, and every other one has one of its own.
        response.TargetTransferTag = _transferTag = final ? PduHeader.ReservedTag : NewTransferTag();
        phase.Sender.Send(bytes, data, status: true);
    }

    private uint NewTransferTag() => ++_lastTag == PduHeader.ReservedTag ? _lastTag = 0 : _lastTag;

    private void Forget()
    {
        _request.ResetWrittenCount();
        _answer = [];
        _sent = 0;
    }
}
