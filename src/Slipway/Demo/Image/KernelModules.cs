using SharpCompress.Compressors.Xz;

namespace Slipway.Demo.Image;

/// <summary>The modules of an unpacked kernel, and what each needs: depmod's <c>modules.dep</c>.</summary>
internal sealed class KernelModules
{
    private readonly string _folder;
    private readonly Dictionary<string, string[]> _needs = [];
    private readonly Dictionary<string, string> _pathOf = [];

    public KernelModules(string folder)
    {
        _folder = folder;
        foreach (var line in File.ReadLines(Path.Combine(folder, "modules.dep")))
        {
            // "kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko kernel/lib/crc16.ko": direct and indirect needs.
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var path = line[..colon];
            _needs[path] = line[(colon + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            _pathOf[NameOf(path)] = path;
        }
    }

    /// <summary>The files of these modules and of what they need, in an order in which they can be loaded. A module that
    /// the kernel has built in is not among them.</summary>
    public IReadOnlyList<string> InLoadOrder(IEnumerable<string> names)
    {
        var order = new List<string>();
        foreach (var name in names)
            if (_pathOf.TryGetValue(name, out var path)) Add(path, order);
        return [.. order.Select(p => Path.Combine(_folder, p))];
    }

    private void Add(string path, List<string> order)
    {
        if (order.Contains(path)) return;
        foreach (var need in _needs[path].Reverse()) Add(need, order);
        order.Add(path);
    }

    /// <summary>A module's name, by its file: <c>crc32c_generic</c>.</summary>
    public static string NameOf(string path) => Path.GetFileName(path).Split('.')[0].Replace('-', '_');

    /// <summary>A module; Debian 13 compresses them.</summary>
    public static byte[] Read(string path)
    {
        if (!path.EndsWith(".xz", StringComparison.Ordinal))
            return File.ReadAllBytes(path);
        using var packed = new XZStream(File.OpenRead(path));
        using var module = new MemoryStream();
        packed.CopyTo(module);
        return module.ToArray();
    }
}
