using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Slipway.Server.Site.Yaml;

/// <summary>A mapping of a YAML file, which knows where it stands, so that a mistake can be told with its line.</summary>
internal sealed class YamlSection
{
    private readonly SiteReading _reading;
    private readonly string _path;
    private readonly YamlMappingNode _node;
    private readonly YamlSection? _parent;
    private readonly Action? _drop;

    public YamlSection(SiteReading reading, YamlNode root)
        : this(reading, "", "", root, parent: null, drop: null)
    {
    }

    private YamlSection(SiteReading reading, string path, string pattern, YamlNode node, YamlSection? parent, Action? drop)
    {
        (_reading, _path, Pattern, _parent, _drop) = (reading, path, pattern, parent, drop);
        _node = node as YamlMappingNode ?? throw new SiteConfigurationException($"{reading.File}:{node.Start.Line}: {(path.Length > 0 ? path + " " : "")}must be a mapping of keys to values")
        {
            Line = (int)node.Start.Line,
            Forget = drop,
        };
    }

    /// <summary>Its place without the numbers of entries: <c>networks[].relays[]</c>.</summary>
    public string Pattern { get; }

    /// <summary>What is there, in the file's order.</summary>
    public IReadOnlyList<string> Keys => [.. _node.Children.Keys.OfType<YamlScalarNode>().Select(k => k.Value ?? "")];

    /// <summary>A file of which nothing is known but what is asked for.</summary>
    public static YamlSection Described(SiteReading reading) => new(reading, new YamlMappingNode());

    /// <summary>Refuses keys that mean nothing: a misspelt one would be silently without effect.</summary>
    public void Allow(params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
            _reading.Shape?.Name(Pattern, key);
        foreach (var (key, _) in _node.Children)
        {
            var name = (key as YamlScalarNode)?.Value ?? "";
            if (!keys.Contains(name))
            {
                throw new SiteConfigurationException($"{_reading.File}:{key.Start.Line}: '{name}' is not a setting here; there are {string.Join(", ", keys)}{NearestWord.Asked(name, keys.ToArray())} (slipway explain SLP3001)")
                {
                    Line = (int)key.Start.Line,
                    Forget = () => _node.Children.Remove(key),
                };
            }
        }
    }

    public string Text(string key, string? byDefault = null)
    {
        Describe(key, SiteKeyKind.Value, null, byDefault is null, byDefault is { Length: > 0 } ? byDefault : null);
        return Scalar(key) ?? byDefault ?? MissingOr(key, "/x");
    }

    /// <summary>A name that is good in an iSCSI name too (RFC 3722).</summary>
    public string Name(string key, string? byDefault = null)
    {
        Describe(key, SiteKeyKind.Value, SiteName.Rule, byDefault is null, byDefault);
        var name = Scalar(key) ?? byDefault ?? MissingOr(key, "x");
        return SiteName.IsValid(name) ? name : throw Unreadable(key, $"'{name}' must be {SiteName.Rule}");
    }

    /// <param name="expected">What is right, in words: alternatives as <c>a, b or c</c>, or a description that ends in an example after <c>like</c>.</param>
    public T Value<T>(string key, string expected, Func<string, T?> parse)
        where T : struct
    {
        Describe(key, SiteKeyKind.Value, expected, required: true, null);
        var text = Scalar(key) ?? MissingOr(key, Example(expected));
        return parse(text) ?? throw Unreadable(key, $"'{text}' is not {expected}");
    }

    /// <inheritdoc cref="Value{T}(string, string, Func{string, Nullable{T}})"/>
    public T Value<T>(string key, string expected, Func<string, T?> parse)
    {
        Describe(key, SiteKeyKind.Value, expected, required: true, null);
        var text = Scalar(key) ?? MissingOr(key, Example(expected));
        return parse(text) ?? throw Unreadable(key, $"'{text}' is not {expected}");
    }

    public T Value<T>(string key, string expected, Func<string, T?> parse, T byDefault)
        where T : struct
    {
        Describe(key, SiteKeyKind.Value, expected, required: false, DefaultOf(expected, parse, byDefault));
        return Scalar(key) is { } text ? parse(text) ?? throw Unreadable(key, $"'{text}' is not {expected}") : byDefault;
    }

    public T? Value<T>(string key, string expected, Func<string, T?> parse, T? byDefault)
    {
        Describe(key, SiteKeyKind.Value, expected, required: false, byDefault?.ToString());
        return Scalar(key) is { } text ? parse(text) ?? throw Unreadable(key, $"'{text}' is not {expected}") : byDefault;
    }

    /// <summary>A mapping in this one; null where there is none.</summary>
    public YamlSection? Section(string key)
    {
        if (_reading.Shape is not null)
        {
            Describe(key, SiteKeyKind.Section, null, required: false, null);
            return _reading.Skipped.Contains(Below(key)) ? null : new(_reading, "", Below(key), new YamlMappingNode(), this, drop: null);
        }
        return Find(key) is { } node ? new(_reading, At(key), Below(key), node, this, () => _reading.Forget(_node, key)) : null;
    }

    public IReadOnlyList<YamlSection> List(string key)
    {
        if (_reading.Shape is not null)
        {
            Describe(key, SiteKeyKind.Sections, null, required: false, null);
            return _reading.Skipped.Contains(Below(key) + "[]") ? [] : [new(_reading, "", Below(key) + "[]", new YamlMappingNode(), this, drop: null)];
        }
        return Find(key) switch
        {
            null => [],
            YamlSequenceNode list =>
            [
                .. list.Index().Where(entry => !_reading.IsDropped(entry.Item)).Select(entry =>
                    new YamlSection(_reading, $"{At(key)}[{entry.Index.ToString(CultureInfo.InvariantCulture)}]", Below(key) + "[]", entry.Item, this, () => _reading.Drop(entry.Item))),
            ],
            _ => throw Unreadable(key, "must be a list, each entry with a '-'"),
        };
    }

    public IReadOnlyList<string> Texts(string key)
    {
        Describe(key, SiteKeyKind.Values, null, required: false, null);
        return Find(key) switch
        {
            null => [],
            YamlScalarNode { Value: { Length: > 0 } one } => [one],
            YamlSequenceNode list => [.. list.Select(node => (node as YamlScalarNode)?.Value ?? throw Unreadable(key, "must be a list of values"))],
            _ => throw Unreadable(key, "must be a value or a list of values"),
        };
    }

    /// <summary>A value that can be read, and is not possible there.</summary>
    public SiteConfigurationException Wrong(string key, string reason) => Mistake(key, LineOf(key), $"{At(key)}: {reason}", IsTainted);

    /// <summary>A mistake in a line of a text of several lines.</summary>
    /// <param name="line">In the text, from 1.</param>
    public SiteConfigurationException WrongInside(string key, int line, string reason)
    {
        var node = Find(key) ?? _node;
        // A block scalar's text begins in the line after its sign.
        return node is YamlScalarNode { Style: ScalarStyle.Literal }
            ? Mistake(key, (int)node.Start.Line + line, $"{At(key)}: {reason}", _reading.TakesExample(_node, key))
            : Mistake(key, (int)node.Start.Line, string.Create(CultureInfo.InvariantCulture, $"{At(key)}: line {line}: {reason}"), _reading.TakesExample(_node, key));
    }

    // What was left out here or above may be why values contradict each other.
    private bool IsTainted => _reading.HasForgotten(_node) || _parent is { IsTainted: true };

    private SiteConfigurationException Unreadable(string key, string reason) => Mistake(key, LineOf(key), $"{At(key)}: {reason}", follows: false);

    private string MissingOr(string key, string example) => _reading.TakesExample(_node, key)
        ? example
        : throw Mistake(key, (int)_node.Start.Line, $"{At(key)} is missing", follows: false);

    private SiteConfigurationException Mistake(string key, int line, string text, bool follows) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{_reading.File}:{line}: {text}"))
        {
            Line = line,
            IsConsequence = follows,
            // What contradicts what was left out can only go as a whole.
            Forget = follows && Find(key) is null ? _drop : () => _reading.Forget(_node, key),
            Section = this,
            Key = key,
        };

    private int LineOf(string key) => (int)(Find(key) ?? _node).Start.Line;

    private void Describe(string key, SiteKeyKind kind, string? expected, bool required, string? byDefault)
    {
        if (_reading.Shape is not { } shape)
            return;
        shape.Visit(Pattern, _reading.Variant);
        shape.Visit(Below(key), _reading.Variant);
        shape.Describe(Pattern, key, kind, expected, required, byDefault);
    }

    private string Example(string expected)
    {
        if (SiteKey.WordsOf(expected) is { Count: > 0 } words)
            return words[_reading.Variant % words.Count];
        var at = expected.LastIndexOf("like ", StringComparison.Ordinal);
        return at >= 0 ? expected[(at + "like ".Length)..].Split(" or ")[0] : expected;
    }

    private static string? DefaultOf<T>(string expected, Func<string, T?> parse, T byDefault)
        where T : struct =>
        SiteKey.WordsOf(expected).FirstOrDefault(word => parse(word) is { } value && value.Equals(byDefault))
        ?? (byDefault is TimeSpan time && time > TimeSpan.Zero ? SiteTime.Write(time) : byDefault.Equals(default(T)) || byDefault is TimeSpan ? null : byDefault.ToString());

    private string? Scalar(string key) => Find(key) switch
    {
        null => null,
        YamlScalarNode { Value: { Length: > 0 } text } => text,
        YamlScalarNode => null,
        _ => throw Unreadable(key, "must be one value"),
    };

    private YamlNode? Find(string key) => _node.Children.TryGetValue(new YamlScalarNode(key), out var node) ? node : null;

    private string At(string key) => _path.Length > 0 ? $"{_path}.{key}" : key;

    private string Below(string key) => Pattern.Length > 0 ? $"{Pattern}.{key}" : key;
}
