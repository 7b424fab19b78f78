using YamlDotNet.RepresentationModel;

namespace Slipway.Server.Site.Yaml;

/// <summary>
/// One file while it is read. After a mistake what is wrong is left out and the file is read again, an example in the place
/// of what must be there, so that an operator is told all mistakes and not the first. With a <see cref="Shape"/> there is no
/// file: what the readers ask for is written down.
/// </summary>
internal sealed class SiteReading(string file, SiteShape? shape = null)
{
    private readonly Dictionary<YamlNode, HashSet<string>> _forgotten = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<YamlNode> _dropped = new(ReferenceEqualityComparer.Instance);

    public string File => file;

    public SiteShape? Shape => shape;

    /// <summary>Which of several words a required value is taken to be; see <see cref="SiteShape"/>.</summary>
    public int Variant { get; init; }

    /// <summary>Sections that are not gone into, as one of them ended in a contradiction.</summary>
    public HashSet<string> Skipped { get; } = [];

    public void Forget(YamlMappingNode node, string key)
    {
        node.Children.Remove(new YamlScalarNode(key));
        if (!_forgotten.TryGetValue(node, out var keys))
            _forgotten[node] = keys = [];
        keys.Add(key);
    }

    /// <summary>Leaves out an entry of a list; the others keep their numbers.</summary>
    public void Drop(YamlNode entry) => _dropped.Add(entry);

    public bool IsDropped(YamlNode entry) => _dropped.Contains(entry);

    /// <summary>Something was left out there: values that contradict each other may do so because of that.</summary>
    public bool HasForgotten(YamlNode node) => _forgotten.ContainsKey(node);

    /// <summary>An example stands for a value that must be there.</summary>
    public bool TakesExample(YamlNode node, string key) => shape is not null || (_forgotten.TryGetValue(node, out var keys) && keys.Contains(key));
}
