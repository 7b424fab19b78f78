using Slipway.Volumes.Qcow2;

namespace Slipway.Volumes.Store;

/// <summary>
/// Which file is what in the folder of volumes: <c>NAME.qcow2</c> is the disk, <c>NAME@SNAPSHOT.qcow2</c> a snapshot that
/// it may stand on, <c>NAME.json</c> its settings, <c>NAME.qcow2.reservations.json</c> what initiators reserved
/// for longer than the server runs, <c>NAME.qcow2.atomic</c> a write that a crash may have torn. Hidden ones: <c>.NAME.lock</c> is held by who uses the volume,
/// <c>.NAME.next</c> is a new top on its way, <c>.NAME.control</c> the socket of the process that serves it.
/// </summary>
internal sealed class VolumeFolder(string path)
{
    public string Path { get; } = path;

    public string Disk(string name) => System.IO.Path.Combine(Path, name + ".qcow2");

    public string Snapshot(string name, string snapshot) => System.IO.Path.Combine(Path, $"{name}@{snapshot}.qcow2");

    public string Settings(string name) => System.IO.Path.Combine(Path, name + ".json");

    public string Lock(string name) => System.IO.Path.Combine(Path, $".{name}.lock");

    public string Next(string name) => System.IO.Path.Combine(Path, $".{name}.next");

    public string Control(string name) => System.IO.Path.Combine(Path, $".{name}.control");

    public IEnumerable<string> Names() => Directory.EnumerateFiles(Path, "*.qcow2")
        .Select(p => System.IO.Path.GetFileNameWithoutExtension(p)).Where(n => !n.Contains('@', StringComparison.Ordinal));

    /// <summary>A volume's snapshots, the oldest first.</summary>
    public IEnumerable<StoredSnapshot> Snapshots(string name) => Snapshots(Directory.EnumerateFiles(Path, $"{name}@*.qcow2"));

    /// <summary>All volumes' snapshots, by one look through the folder, which may have thousands.</summary>
    public ILookup<string, StoredSnapshot> Snapshots() => Snapshots(Directory.EnumerateFiles(Path, "*@*.qcow2"))
        .ToLookup(s => System.IO.Path.GetFileName(s.Path).Split('@')[0]);

    private static IOrderedEnumerable<StoredSnapshot> Snapshots(IEnumerable<string> paths) => paths
        .Select(p => new StoredSnapshot(System.IO.Path.GetFileNameWithoutExtension(p).Split('@')[1], p, File.GetLastWriteTimeUtc(p), HostFile.BytesOf(p)))
        .OrderBy(s => s.Taken).ThenBy(s => s.Name, StringComparer.Ordinal);

    /// <summary>The image at the bottom of a chain, as the backing files' names have it; null for a blank disk.</summary>
    public string? ImageOf(string file)
    {
        for (var depth = 0; depth < Qcow2File.LongestChain; depth++)
        {
            if (Qcow2File.BackingOf(file) is not { } backing) return null;
            var name = System.IO.Path.GetFileNameWithoutExtension(backing);
            file = System.IO.Path.GetFullPath(System.IO.Path.Combine(Path, backing));
            if (System.IO.Path.GetDirectoryName(file) != Path) return name;
        }
        return null;
    }

    /// <summary>Which of a volume's files stand directly on a snapshot of it: null in the answer is the disk itself.</summary>
    public IEnumerable<string?> StandOn(string name, string snapshot)
    {
        var file = $"{name}@{snapshot}.qcow2";
        if (Qcow2File.BackingOf(Disk(name)) == file) yield return null;
        foreach (var other in Snapshots(name))
        {
            if (Qcow2File.BackingOf(other.Path) == file) yield return other.Name;
        }
    }
}
