using System.Security.Cryptography;

namespace Slipway.Bench;

/// <summary>Where everything of a run lies: programs, disks, figures.</summary>
internal sealed class Bench : IDisposable
{
    public const int DiskMiB = 1024;
    public const string Secret = "a-secret-of-the-bench";
    private readonly string _root;
    private readonly string _work;
    private readonly string _memory = $"/dev/shm/slipway-bench-{Environment.ProcessId}";
    private readonly string _figures;
    private readonly HashSet<string> _disks = [];

    /// <param name="name">The bench's folder, under bench/ and artifacts/bench/.</param>
    public Bench(string root, string name)
    {
        _root = root;
        Name = name;
        _figures = Path.Combine(root, "artifacts/bench", name);
        // Beside the figures: disks are files of a real file system, in its page cache.
        _work = Directory.CreateDirectory(Path.Combine(_figures, $"work-{Environment.ProcessId}")).FullName;
        SecretFile = Path.Combine(_work, "secret");
        File.WriteAllText(SecretFile, Secret);
    }

    public string Name { get; }

    public string SecretFile { get; }

    public string Slipway => Path.Combine(_root, "artifacts/bin/Slipway/release/slipway");

    /// <summary>The same as a native program, as it is installed.</summary>
    public string Native => Path.Combine(_root, "artifacts/native/slipway");

    /// <summary>Where <c>slipway image</c> and <c>slipway volume</c> keep theirs.</summary>
    public string State => NewFile("state");

    public string Docs => Path.Combine(_root, "docs");

    /// <summary>One of the C programs.</summary>
    public string Program(string name) => Path.Combine(_figures, name);

    public string FigureFile(string row) => Path.Combine(_figures, $"{row}.json");

    public string NewFile(string name) => Path.Combine(_work, name);

    /// <summary>A disk of <see cref="DiskMiB"/> with no holes, freshly written and so in the page cache.</summary>
    public string Disk(string name) => Written(NewFile(name));

    /// <summary>The same in a file system in memory, whose pages no kernel takes out of a cache between two reads.</summary>
    public string MemoryDisk(string name) => Written(Path.Combine(Directory.CreateDirectory(_memory).FullName, name));

    /// <summary>Brings back what the kernel has taken out of its page cache: where it reclaims by itself (DAMON), half a disk can be gone within minutes.</summary>
    public void Warm()
    {
        // A process of its own: .NET opens no file that a server holds a lock on.
        foreach (var path in _disks)
            Tool.Run("dd", $"if={path}", "of=/dev/null", "bs=1M", "status=none");
    }

    public void Dispose()
    {
        Directory.Delete(_work, recursive: true);
        if (Directory.Exists(_memory))
            Directory.Delete(_memory, recursive: true);
    }

    private string Written(string path)
    {
        if (!_disks.Add(path))
            return path;
        using var file = File.Create(path);
        var piece = new byte[1 << 20];
        for (var i = 0; i < DiskMiB; i++)
        {
            RandomNumberGenerator.Fill(piece);
            file.Write(piece);
        }
        // Writeback would run beside the measurements.
        file.Flush(flushToDisk: true);
        return path;
    }
}
