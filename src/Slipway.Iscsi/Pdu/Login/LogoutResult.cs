namespace Slipway.Iscsi.Pdu;

/// <summary>RFC 7143 §11.15.1.</summary>
public enum LogoutResult : byte
{
    Closed = 0,
    CidNotFound = 1,
    RecoveryNotSupported = 2,
    CleanupFailed = 3,
}
