namespace Slipway.Tftp.Wire;

/// <summary>RFC 1350 §5; OACK is RFC 2347's.</summary>
public enum TftpOpcode : ushort
{
    ReadRequest = 1,
    WriteRequest = 2,
    Data = 3,
    Acknowledgement = 4,
    Error = 5,
    OptionAcknowledgement = 6,
}
