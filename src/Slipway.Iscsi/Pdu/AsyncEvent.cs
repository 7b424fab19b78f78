namespace Slipway.Iscsi.Pdu;

/// <summary>RFC 7143 §11.9.1.</summary>
public enum AsyncEvent : byte
{
    ScsiEvent = 0,
    LogoutRequested = 1,
    ConnectionDropped = 2,
    AllConnectionsDropped = 3,
    NegotiationRequested = 4,
    FastAbort = 5,
    Vendor = 255,
}
