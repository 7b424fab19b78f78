namespace Slipway.Ipxe.Binaries;

/// <summary>Why a binary is not patched.</summary>
public enum BinaryPatchRefusal
{
    NotIpxe,
    Compressed,
    Container,
    PatternAbsent,
    PatternTwice,
    AlreadyPatched,
    Machine,
}

/// <summary>A binary that was left as it is; the message says what was looked for and what was found.</summary>
public sealed class BinaryPatchException(BinaryPatchRefusal refusal, string message) : Exception(message)
{
    public BinaryPatchRefusal Refusal { get; } = refusal;
}
