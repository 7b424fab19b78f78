using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Slipway.Disks.FileSystems;
using Slipway.Tests;

namespace Slipway.Disks.Tests.Xfs;

/// <summary>Volumes as mkfs.xfs makes them of a folder, and what xfs_db says of them.</summary>
internal static partial class XfsImage
{
    /// <param name="root">The folder; null makes an empty volume.</param>
    /// <param name="options">Of mkfs.xfs, divided by blanks.</param>
    public static async Task<string> MakeAsync(TemporaryFolder folder, string name, string? root, int megabytes, string options)
    {
        var image = folder[name];
        await using (var file = File.Create(image)) file.SetLength((long)megabytes << 20);
        string[] prototype = [];
        if (root is not null)
        {
            var text = new StringBuilder("/dev/null\n0 0\nd--755 0 0\n");
            Describe(root, text);
            await File.WriteAllTextAsync(folder[name + ".proto"], text.Append("$\n").ToString());
            prototype = ["-p", folder[name + ".proto"]];
        }
        // Volumes of less than 300 MB are for tests like these.
        await Tool.RunAsync("mkfs.xfs", ["-q", "--unsupported", "-L", "label", .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries), .. prototype, image]);
        return image;
    }

    /// <summary>Where a file or directory is, as xfs_db finds it; lengths are whole blocks.</summary>
    public static async Task<List<FileExtent>> BlockMapAsync(string image, string path)
    {
        var output = await Tool.RunAsync("xfs_db", "-r", "-c", $"path {path}", "-c", "bmap", "-c", "sb 0", "-c", "print agblocks blocksize", image);
        var (groupBlocks, blockSize) = (Field("agblocks"), Field("blocksize"));
        return [.. ExtentLine().Matches(output).Select(m => (Offset: Number(m, 1), Group: Number(m, 2), Block: Number(m, 3), Count: Number(m, 4), Flag: Number(m, 5)))
            .Select(e => new FileExtent(e.Offset * blockSize, (e.Group * groupBlocks + e.Block) * blockSize, e.Count * blockSize, e.Flag == 1))];

        long Field(string name) => long.Parse(Regex.Match(output, name + @" = (\d+)").Groups[1].Value, CultureInfo.InvariantCulture);
        static long Number(Match match, int group) => long.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);
    }

    /// <summary>A field as xfs_db prints it.</summary>
    public static async Task<string> FieldAsync(string image, string path, string field) =>
        (await Tool.RunAsync("xfs_db", "-r", "-c", $"path {path}", "-c", $"print {field}", image)).Trim();

    private static void Describe(string folder, StringBuilder text)
    {
        foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos().OrderBy(e => e.Name, StringComparer.Ordinal))
        {
            if (entry.LinkTarget is { } target) text.Append($"{entry.Name} l--777 0 0 {target}\n");
            else if (entry is FileInfo) text.Append($"{entry.Name} ---644 0 0 {entry.FullName}\n");
            else
            {
                text.Append($"{entry.Name} d--755 0 0\n");
                Describe(entry.FullName, text);
                text.Append("$\n");
            }
        }
    }

    [GeneratedRegex(@"data offset (\d+) startblock \d+ \((\d+)/(\d+)\) count (\d+) flag (\d)")]
    private static partial Regex ExtentLine();
}
