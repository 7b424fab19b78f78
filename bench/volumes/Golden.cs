namespace Slipway.Bench.Volumes;

/// <summary>The disks that everything is measured with: one without holes, imported as an image, and clones of that.</summary>
internal sealed class Golden(Bench bench)
{
    public const string Name = "golden";
    public const int CompressibleMiB = 512;
    private const int WordBytes = 8;
    private int _made;

    /// <summary>The image as the raw file that it was.</summary>
    public string Disk => bench.Disk("golden.img");

    /// <summary>A qcow2 file, about four times smaller by zlib.</summary>
    public string Compressed
    {
        get
        {
            var path = bench.NewFile("compressed.qcow2");
            if (File.Exists(path))
                return path;
            var raw = bench.NewFile("words.img");
            WriteWords(raw);
            Tool.Run("qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", raw, path);
            File.Delete(raw);
            return path;
        }
    }

    public void Slipway(params IEnumerable<string> arguments) => Tool.Run(bench.Slipway, [.. arguments, "--state", bench.State]);

    /// <summary>A new volume; its name.</summary>
    public string Clone()
    {
        if (_made++ == 0)
            Slipway("image", "import", Disk, "--name", Name);
        var name = $"clone-{_made}";
        Slipway("volume", "create", name, "--image", Name);
        return name;
    }

    public string FileOf(string volume) => Path.Combine(bench.State, "volumes", volume + ".qcow2");

    /// <summary>A clone in so many layers, each with a tenth of the disk.</summary>
    public string Chain(int layers)
    {
        var (name, random) = (Clone(), new Random(5));
        for (var layer = 1; ; layer++)
        {
            var writes = Enumerable.Range(0, Bench.DiskMiB / 10).SelectMany(_ => new[] { "-c", $"write -q -P {layer} {random.Next(Bench.DiskMiB)}M 1M" });
            Tool.Run("qemu-io", ["-f", "qcow2", .. writes, FileOf(name)]);
            if (layer == layers)
                return name;
            Slipway("volume", "snapshot", name, $"layer-{layer}");
        }
    }

    // Noise would not compress, and zeroes would not be there: words of a language of 4,096.
    private static void WriteWords(string path)
    {
        var random = new Random(6);
        var words = new byte[4096 * WordBytes];
        random.NextBytes(words);
        var piece = new byte[1 << 20];
        using var file = File.Create(path);
        for (var i = 0; i < CompressibleMiB; i++)
        {
            for (var at = 0; at < piece.Length; at += WordBytes)
                words.AsSpan(random.Next(4096) * WordBytes, WordBytes).CopyTo(piece.AsSpan(at));
            file.Write(piece);
        }
    }
}
