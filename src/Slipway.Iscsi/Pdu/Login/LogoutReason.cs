namespace Slipway.Iscsi.Pdu;

/// <summary>RFC 7143 §11.14.1.</summary>
public enum LogoutReason : byte
{
    CloseSession = 0,
    CloseConnection = 1,
    RemoveForRecovery = 2,
}
