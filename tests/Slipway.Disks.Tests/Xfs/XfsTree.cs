using Slipway.Tests;

namespace Slipway.Disks.Tests.Xfs;

/// <summary>
/// A folder to make volumes of, with directories of each form that XFS has: in the inode, one block, blocks with one of
/// hashes, blocks with a tree of hashes (in so many pieces that its extents are a tree, too).
/// </summary>
public sealed class XfsTree : IAsyncLifetime
{
    /// <summary>Of 1,015 bytes: too long for an inode, and for one block of 1 KiB with its header.</summary>
    public static readonly string LongTarget = string.Concat(Enumerable.Repeat("boot/../", 126)) + "vmlinuz";

    private readonly TemporaryFolder _folder = new();

    public string Root => _folder["root"];

    /// <summary>The same with a long symbolic link, /longlink: mkfs.xfs 6.1 forgets the header that one has in version 5.</summary>
    public string RootWithLongLink => _folder["longer"];

    public async ValueTask InitializeAsync()
    {
        foreach (var path in new[] { "boot/grub", "empty", "many", "some", "few", Deep }) Directory.CreateDirectory(Path.Combine(Root, path));
        var kernel = new byte[5_000_000];
        new Random(1).NextBytes(kernel);
        await File.WriteAllBytesAsync(Path.Combine(Root, "boot/vmlinuz-6.1"), kernel);
        await File.WriteAllTextAsync(Path.Combine(Root, "boot/grub/grub.cfg"), "set timeout=0\n");
        await File.WriteAllTextAsync(Path.Combine(Root, "boot/nothing"), "");
        await File.WriteAllTextAsync(Path.Combine(Root, Deep, "deep"), "deep");
        await File.WriteAllTextAsync(Path.Combine(Root, new string('n', 255)), "long");
        for (var i = 0; i < 2500; i++) await File.WriteAllTextAsync(Path.Combine(Root, $"many/number-{i:D4}-{new string('x', i % 100)}"), $"{i}");
        for (var i = 0; i < 120; i++) await File.WriteAllTextAsync(Path.Combine(Root, $"some/number-{i:D4}-of-them-{new string('y', i % 50)}"), $"{i}");
        for (var i = 0; i < 9; i++) await File.WriteAllTextAsync(Path.Combine(Root, $"few/number-{i:D4}-with-a-name-that-fills-an-inode"), $"{i}");
        File.CreateSymbolicLink(Path.Combine(Root, "vmlinuz"), "boot/vmlinuz-6.1");
        File.CreateSymbolicLink(Path.Combine(Root, "circle"), "circle");
        await Tool.RunAsync("cp", "-al", Root, RootWithLongLink);
        File.CreateSymbolicLink(Path.Combine(RootWithLongLink, "longlink"), LongTarget);
    }

    /// <summary>Twenty folders down.</summary>
    public static string Deep { get; } = string.Join('/', Enumerable.Range(1, 20));

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }
}
