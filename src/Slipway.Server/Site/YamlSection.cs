using System.Globalization;
using YamlDotNet.RepresentationModel;

namespace Slipway.Server.Site;

/// <summary>A mapping of a YAML file, which knows where it stands, so that a mistake can be told with its line.</summary>
internal sealed class YamlSection
{
    private readonly string _file;
    private readonly string _path;
    private readonly YamlMappingNode _node;

    public YamlSection(string file, string path, YamlNode node)
    {
        _file = file;
        _path = path;
        _node = node as YamlMappingNode
            ?? throw new SiteConfigurationException($"{file}:{node.Start.Line}: {(path.Length > 0 ? path + " " : "")}must be a mapping of keys to values");
    }

    /// <summary>Refuses keys that mean nothing: a misspelt one would be silently without effect.</summary>
    public void Allow(params ReadOnlySpan<string> keys)
    {
        foreach (var (key, _) in _node.Children)
        {
            var name = (key as YamlScalarNode)?.Value ?? "";
            if (!keys.Contains(name))
                throw new SiteConfigurationException($"{_file}:{key.Start.Line}: '{name}' is not a setting here; there are {string.Join(", ", keys)}");
        }
    }

    public string Text(string key, string? byDefault = null) => Scalar(key) ?? byDefault ?? throw Missing(key);

    /// <summary>A name that is good in an iSCSI name too (RFC 3722).</summary>
    public string Name(string key, string? byDefault = null)
    {
        var name = Text(key, byDefault);
        return SiteName.IsValid(name) ? name : throw Wrong(key, $"'{name}' must be {SiteName.Rule}");
    }

    public T Value<T>(string key, string expected, Func<string, T?> parse)
        where T : struct =>
        parse(Text(key)) ?? throw Wrong(key, $"'{Text(key)}' is not {expected}");

    public T Value<T>(string key, string expected, Func<string, T?> parse, T byDefault)
        where T : struct =>
        Scalar(key) is { } text ? parse(text) ?? throw Wrong(key, $"'{text}' is not {expected}") : byDefault;

    public T? Value<T>(string key, string expected, Func<string, T?> parse, T? byDefault) =>
        Scalar(key) is { } text ? parse(text) ?? throw Wrong(key, $"'{text}' is not {expected}") : byDefault;

    /// <summary>A mapping in this one; null where there is none.</summary>
    public YamlSection? Section(string key) => Find(key) is { } node ? new(_file, At(key), node) : null;

    public IReadOnlyList<YamlSection> List(string key) => Find(key) switch
    {
        null => [],
        YamlSequenceNode list => [.. list.Select((node, i) => new YamlSection(_file, $"{At(key)}[{i.ToString(CultureInfo.InvariantCulture)}]", node))],
        _ => throw Wrong(key, "must be a list, each entry with a '-'"),
    };

    public IReadOnlyList<string> Texts(string key) => Find(key) switch
    {
        null => [],
        YamlScalarNode { Value: { Length: > 0 } one } => [one],
        YamlSequenceNode list => [.. list.Select(node => (node as YamlScalarNode)?.Value ?? throw Wrong(key, "must be a list of values"))],
        _ => throw Wrong(key, "must be a value or a list of values"),
    };

    public SiteConfigurationException Wrong(string key, string reason) =>
        new($"{_file}:{(Find(key) ?? _node).Start.Line}: {At(key)}: {reason}");

    private SiteConfigurationException Missing(string key) => new($"{_file}:{_node.Start.Line}: {At(key)} is missing");

    private string? Scalar(string key) => Find(key) switch
    {
        null => null,
        YamlScalarNode { Value: { Length: > 0 } text } => text,
        YamlScalarNode => null,
        _ => throw Wrong(key, "must be one value"),
    };

    private YamlNode? Find(string key) => _node.Children.TryGetValue(new YamlScalarNode(key), out var node) ? node : null;

    private string At(string key) => _path.Length > 0 ? $"{_path}.{key}" : key;
}
