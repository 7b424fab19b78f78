using YamlDotNet.RepresentationModel;

namespace Slipway.Server.Site.Yaml;

/// <summary>
/// What differs between two sites' files, by place and value, whatever their order, comments and style. Entries of a list are
/// paired by their name, or where they have none by what they are about.
/// </summary>
internal static class SiteDifference
{
    // What an entry without a name is known by.
    private static readonly string[] Identities = ["name", "mac", "address", "subnet", "network"];

    /// <summary>Empty where both say the same.</summary>
    public static IReadOnlyList<SiteChange> Between(YamlNode before, YamlNode after)
    {
        var changes = new List<SiteChange>();
        Compare("", before, after, changes);
        return changes;
    }

    private static void Compare(string path, YamlNode before, YamlNode after, List<SiteChange> changes)
    {
        switch (before, after)
        {
            case (YamlMappingNode old, YamlMappingNode now):
                foreach (var key in Keys(old).Union(Keys(now)))
                    Pair(path.Length > 0 ? $"{path}.{key}" : key, Child(old, key), Child(now, key), changes);
                break;
            case (YamlSequenceNode old, YamlSequenceNode now) when old.Concat(now).All(n => n is YamlMappingNode):
                var (olds, nows) = (Named(old), Named(now));
                foreach (var name in olds.Keys.Union(nows.Keys))
                    Pair($"{path}[{name}]", olds.GetValueOrDefault(name), nows.GetValueOrDefault(name), changes);
                break;
            default:
                if (Text(before) is var was && Text(after) is var becomes && was != becomes)
                    changes.Add(new(path, was, becomes));
                break;
        }
    }

    private static void Pair(string path, YamlNode? before, YamlNode? after, List<SiteChange> changes)
    {
        if (before is not null && after is not null)
            Compare(path, before, after, changes);
        // A list of nothing says nothing.
        else if (before is not YamlSequenceNode { Children.Count: 0 } && after is not YamlSequenceNode { Children.Count: 0 })
            Lists(path, before, after, changes);
    }

    // A list of entries that comes or goes is its entries that do.
    private static void Lists(string path, YamlNode? before, YamlNode? after, List<SiteChange> changes)
    {
        if ((before ?? after) is YamlSequenceNode list && list.All(n => n is YamlMappingNode))
        {
            foreach (var (name, entry) in Named(list))
                changes.Add(before is null ? new($"{path}[{name}]", null, Text(entry)) : new($"{path}[{name}]", Text(entry), null));
        }
        else
        {
            changes.Add(new(path, before is null ? null : Text(before), after is null ? null : Text(after)));
        }
    }

    private static IEnumerable<string> Keys(YamlMappingNode node) => node.Children.Keys.Select(k => k.ToString());

    private static YamlNode? Child(YamlMappingNode node, string key) => node.Children.TryGetValue(new YamlScalarNode(key), out var child) ? child : null;

    private static Dictionary<string, YamlNode> Named(YamlSequenceNode list)
    {
        var named = new Dictionary<string, YamlNode>();
        foreach (var (index, entry) in list.Index())
        {
            var identity = Identities.Select(i => Child((YamlMappingNode)entry, i)?.ToString()).FirstOrDefault(i => !string.IsNullOrEmpty(i)) ?? $"{index + 1}";
            while (!named.TryAdd(identity, entry))
                identity += "'";
        }
        return named;
    }

    private static string Text(YamlNode node) => node switch
    {
        YamlMappingNode mapping => $"{{ {string.Join(", ", mapping.Children.OrderBy(c => c.Key.ToString(), StringComparer.Ordinal).Select(c => $"{c.Key}: {Text(c.Value)}"))} }}",
        YamlSequenceNode { Children: [YamlScalarNode one] } => Text(one),
        YamlSequenceNode list => $"[{string.Join(", ", list.Select(Text))}]",
        YamlScalarNode { Value: { } value } => value.ReplaceLineEndings("\\n"),
        _ => "",
    };
}

/// <summary>One value that is another, or a part that comes or goes.</summary>
/// <param name="Path">Like <c>machines[node-1].profile</c>.</param>
/// <param name="Before">Null where there was none.</param>
/// <param name="After">Null where there is none any more.</param>
internal sealed record SiteChange(string Path, string? Before, string? After)
{
    // Of a network; what else there is of one is bound to sockets and certificates.
    private static readonly string[] LiveOfNetworks =
        ["pool", "exclude", "router", "dns", "ntp", "domain", "mtu", "routes", "lease-time", "clients-by", "reservations", "relays"];

    /// <summary>Whether a running server can take it on.</summary>
    public bool IsLive
    {
        get
        {
            var parts = Path.Split('.', '[', ']');
            return parts[0] switch
            {
                "machines" or "profiles" or "approve" => true,
                "networks" => Path.IndexOf("].", StringComparison.Ordinal) is > 0 and var at
                    && LiveOfNetworks.Contains(Path[(at + 2)..].Split('.', '[')[0]),
                _ => false,
            };
        }
    }

    public override string ToString() => (Before, After) switch
    {
        (null, _) => $"+ {Path}: {After}",
        (_, null) => $"- {Path}: {Before}",
        _ => $"~ {Path}: {Before} -> {After}",
    };
}
