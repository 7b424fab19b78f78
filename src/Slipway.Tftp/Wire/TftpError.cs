namespace Slipway.Tftp.Wire;

/// <summary>Error codes (RFC 1350 §5, RFC 2347).</summary>
public enum TftpError : ushort
{
    NotDefined = 0,
    FileNotFound = 1,
    AccessViolation = 2,
    DiskFull = 3,
    IllegalOperation = 4,
    UnknownTransfer = 5,
    FileExists = 6,
    NoSuchUser = 7,
    OptionRefused = 8,
}
