namespace Slipway.Volumes.Store;

/// <summary>A disk of a machine's own: an overlay over an image version, or blank.</summary>
/// <param name="Size">What the machine sees, in bytes.</param>
/// <param name="Image">The reference of the image that it is a clone of (<c>debian-12@3</c>).</param>
/// <param name="Machine">Whose it is.</param>
/// <param name="NextImage">The image version that the next boot begins with.</param>
/// <param name="OwnBytes">What it takes on the host, with its snapshots, without the image.</param>
public sealed record StoredVolume(
    string Name, string Path, long Size, string? Image, VolumePolicy Policy, string? Machine, string? NextImage,
    IReadOnlyList<StoredSnapshot> Snapshots, long OwnBytes);

/// <summary>A volume as it was: a file that is never written again.</summary>
/// <param name="Taken">When.</param>
public sealed record StoredSnapshot(string Name, string Path, DateTimeOffset Taken, long OwnBytes);

/// <summary>Where the bytes are that a volume shows, all in bytes.</summary>
/// <param name="Shared">Data of the image that it still reads.</param>
/// <param name="Own">Its own file on the host, since the last snapshot.</param>
/// <param name="Snapshots">Its snapshots' files on the host.</param>
public sealed record VolumeUsage(string Name, long Size, long Shared, long Own, long Snapshots);
