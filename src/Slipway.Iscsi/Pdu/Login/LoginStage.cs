namespace Slipway.Iscsi.Pdu;

/// <summary>CSG and NSG (RFC 7143 §11.12.3); 2 is reserved.</summary>
public enum LoginStage : byte
{
    SecurityNegotiation = 0,
    OperationalNegotiation = 1,
    FullFeaturePhase = 3,
}
