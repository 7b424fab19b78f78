namespace Slipway.Server.Site.Yaml;

/// <summary>
/// Which keys a site's file has, found by having the file's own readers read nothing: every key that they ask for is written
/// down with what they expect there. So the schema and the manual cannot know less than the parser, or more.
/// </summary>
internal sealed class SiteShape
{
    // As many as there are words for what a section's other keys depend on.
    private const int Variants = 5;
    private const int MostContradictions = 100;

    private readonly Dictionary<string, SiteKey> _keys = [];
    private readonly Dictionary<string, HashSet<int>> _visits = [];

    private SiteShape()
    {
    }

    /// <summary>By path, <c>networks[].relays[].name</c>, in the order in which the readers name them.</summary>
    public IReadOnlyCollection<SiteKey> Keys => _keys.Values;

    public static SiteShape Read()
    {
        var shape = new SiteShape();
        for (var variant = 0; variant < Variants; variant++)
        {
            var reading = new SiteReading("", shape) { Variant = variant };
            for (var tries = 0; tries < MostContradictions; tries++)
            {
                try
                {
                    SiteFile.Read(YamlSection.Described(reading), "/");
                    break;
                }
                catch (SiteConfigurationException e) when (e.Section is { } section)
                {
                    reading.Skipped.Add(section.Pattern.Length > 0 ? section.Pattern : e.Key!);
                }
            }
        }
        shape.Relax();
        return shape;
    }

    // What some entries of a section must have and others may not, as a profile's kind decides, must not be there for all.
    private void Relax()
    {
        foreach (var (path, key) in _keys.Where(k => k.Value.IsRequired && !_visits[k.Value.Section].SetEquals(_visits[k.Key])).ToList())
            _keys[path] = key with { IsRequired = false };
    }

    /// <summary>Keys of one section, in order.</summary>
    /// <param name="section">Empty for the file itself.</param>
    public IEnumerable<SiteKey> Of(string section) => Keys.Where(k => k.Section == section);

    /// <summary>A key that is allowed.</summary>
    public void Name(string section, string key) => _keys.TryAdd(Path(section, key), new SiteKey(section, key));

    /// <summary>A section or key was asked for in this variant.</summary>
    public void Visit(string path, int variant)
    {
        if (!_visits.TryGetValue(path, out var variants))
            _visits[path] = variants = [];
        variants.Add(variant);
    }

    /// <summary>What is expected of a key.</summary>
    public void Describe(string section, string key, SiteKeyKind kind, string? expected, bool required, string? byDefault)
    {
        var path = Path(section, key);
        if (_keys.GetValueOrDefault(path) is { Kind: null } or null || expected is not null)
            _keys[path] = new SiteKey(section, key) { Kind = kind, Expected = expected, IsRequired = required, Default = byDefault };
    }

    private static string Path(string section, string key) => section.Length > 0 ? $"{section}.{key}" : key;
}

internal enum SiteKeyKind
{
    Value,

    /// <summary>A value, or a list of them.</summary>
    Values,

    Section,

    /// <summary>A list of sections.</summary>
    Sections,
}

/// <param name="Section">Empty for the file itself; <c>[]</c> stands for any entry of a list.</param>
internal sealed record SiteKey(string Section, string Name)
{
    public string Path => Section.Length > 0 ? $"{Section}.{Name}" : Name;

    /// <summary>Null where it is allowed and nobody reads it.</summary>
    public SiteKeyKind? Kind { get; init; }

    /// <summary>In words, as a mistake is told; null: any text.</summary>
    public string? Expected { get; init; }

    public bool IsRequired { get; init; }

    public string? Default { get; init; }

    /// <summary>The section that its value is, for those that are.</summary>
    public string Child => Kind == SiteKeyKind.Sections ? Path + "[]" : Path;

    /// <summary>The words that there are, where it is one of a few.</summary>
    public IReadOnlyList<string> Words => WordsOf(Expected);

    /// <summary>The words of "uboot, ibft or detect"; none of what is no such list.</summary>
    public static IReadOnlyList<string> WordsOf(string? expected)
    {
        var words = expected?.Replace(" or ", ", ", StringComparison.Ordinal).Split(", ") ?? [];
        return words.Length > 1 && words.All(w => w.Length > 0 && w.All(c => char.IsAsciiLetterLower(c) || c == '-')) ? words : [];
    }
}
