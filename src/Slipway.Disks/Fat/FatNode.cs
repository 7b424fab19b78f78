namespace Slipway.Disks.Fat;

/// <summary>A file (with content) or a directory (with children) that is to be written.</summary>
internal sealed class FatNode(string name, ReadOnlyMemory<byte>? content)
{
    private readonly List<FatNode> _children = [];
    private readonly HashSet<string> _shortNames = [];

    public string Name { get; } = name;

    public ReadOnlyMemory<byte>? Content { get; } = content;

    public bool IsDirectory => Content is null;

    /// <summary>Eleven bytes, given when the node joins its directory.</summary>
    public string ShortName { get; private set; } = "";

    public uint Cluster { get; set; }

    public IReadOnlyList<FatNode> Children => _children;

    public FatNode Directory(string name)
    {
        var found = _children.Find(c => string.Equals(c.Name, name, StringComparison.OrdinalIgnoreCase));
        if (found is null) Add(found = new(name, null));
        return found.IsDirectory ? found : throw new ArgumentException($"'{name}' is a file, not a directory", nameof(name));
    }

    public void Add(FatNode child)
    {
        if (_children.Exists(c => string.Equals(c.Name, child.Name, StringComparison.OrdinalIgnoreCase)))
            throw new ArgumentException($"'{child.Name}' is there twice", nameof(child));
        child.ShortName = FatNames.Shorten(child.Name, _shortNames);
        _children.Add(child);
    }
}
