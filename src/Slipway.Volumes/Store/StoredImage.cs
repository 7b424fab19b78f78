namespace Slipway.Volumes.Store;

/// <summary>One version of a golden image: a file that is never written again.</summary>
/// <param name="Format"><c>raw</c> or <c>qcow2</c>.</param>
/// <param name="Size">What a machine sees, in bytes.</param>
/// <param name="Bytes">What it takes on the host.</param>
public sealed record StoredImage(string Name, int Version, string Format, string Path, long Size, long Bytes)
{
    public string Reference => $"{Name}@{Version}";

    /// <summary>Of the list of its pieces' hashes (<see cref="PieceHashes"/>), in hexadecimal; empty where the list is missing. Read when it is asked for.</summary>
    public string Checksum => PieceHashes.HashOf(Path);
}
