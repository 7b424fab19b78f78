namespace Slipway.Volumes.Store;

/// <summary>One version of a golden image: a file that is never written again, raw or qcow2.</summary>
/// <param name="Size">What a machine sees, in bytes.</param>
/// <param name="Sha256">Of the file as it is stored, in hexadecimal.</param>
public sealed record StoredImage(string Name, int Version, string Format, string Path, long Size, string Sha256)
{
    public string Reference => $"{Name}@{Version}";
}

/// <summary>A disk of a machine's own: an overlay over an image version, or blank.</summary>
/// <param name="Image">The reference of the image that it is a clone of (<c>debian-12@3</c>).</param>
/// <param name="OwnBytes">What it takes on the host, without the image.</param>
public sealed record StoredVolume(string Name, string Path, long Size, string? Image, long OwnBytes);
