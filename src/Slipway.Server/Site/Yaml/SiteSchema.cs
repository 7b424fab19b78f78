using System.Text;
using System.Text.Json.Nodes;

namespace Slipway.Server.Site.Yaml;

/// <summary>The site's file for programs and for people: as a JSON schema (2020-12) for editors, and as the manual's tables.</summary>
public static class SiteSchema
{
    public static JsonObject ToJson()
    {
        var schema = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "slipway.yaml",
            ["description"] = "A site that Slipway serves: its networks and machines",
        };
        foreach (var (key, value) in Section(SiteShape.Read(), ""))
            schema[key] = value?.DeepClone();
        return schema;
    }

    /// <summary>A table for each section, in Markdown.</summary>
    public static string ToMarkdown()
    {
        var shape = SiteShape.Read();
        var text = new StringBuilder();
        foreach (var section in shape.Keys.Select(k => k.Section).Distinct())
        {
            text.Append($"### {(section.Length == 0 ? "The file" : $"`{section}`")}\n\n| key | value | default | meaning |\n|---|---|---|---|\n");
            foreach (var key in shape.Of(section))
                text.Append($"| `{key.Name}` | {Escape(ValueOf(key))} | {(key.IsRequired ? "must be given" : key.Default is { } value ? $"`{value}`" : "")} | {Escape(SiteMeanings.Of(key.Path))} |\n");
            text.Append('\n');
        }
        return text.ToString().TrimEnd('\n') + "\n";
    }

    private static string ValueOf(SiteKey key) => key.Kind switch
    {
        SiteKeyKind.Section => $"keys of `{key.Child}`",
        SiteKeyKind.Sections => $"a list of `{key.Child}`",
        SiteKeyKind.Values => "one or a list",
        _ when key.Words.Count > 0 => string.Join(", ", key.Words.Select(w => $"`{w}`")),
        _ => key.Expected ?? "text",
    };

    private static string Escape(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);

    private static JsonObject Section(SiteShape shape, string section)
    {
        var properties = new JsonObject();
        foreach (var key in shape.Of(section))
            properties[key.Name] = Property(shape, key);
        var schema = new JsonObject { ["type"] = "object", ["additionalProperties"] = false, ["properties"] = properties };
        if (shape.Of(section).Where(k => k.IsRequired).Select(k => (JsonNode)k.Name).ToArray() is { Length: > 0 } required)
            schema["required"] = new JsonArray(required);
        return schema;
    }

    private static JsonObject Property(SiteShape shape, SiteKey key)
    {
        var property = key.Kind switch
        {
            SiteKeyKind.Section => Section(shape, key.Child),
            SiteKeyKind.Sections => new JsonObject { ["type"] = "array", ["items"] = Section(shape, key.Child) },
            SiteKeyKind.Values => new JsonObject { ["anyOf"] = new JsonArray(Scalar(), new JsonObject { ["type"] = "array", ["items"] = Scalar() }) },
            // To YAML these two are no text.
            _ when key.Words.Contains("true") => new JsonObject { ["type"] = "boolean" },
            _ when key.Words.Count > 0 => new JsonObject { ["enum"] = new JsonArray([.. key.Words.Select(w => (JsonNode)w)]) },
            _ => Scalar(),
        };
        var meaning = SiteMeanings.Of(key.Path);
        property["description"] = key is { Expected: { } expected, Words.Count: 0 } ? $"{meaning} ({expected})" : meaning;
        if (key.Default is { } value)
            property["default"] = key.Words.Contains("true") ? value == "true" : value;
        return property;
    }

    // A YAML editor takes 9000 or 525400770001 for a number; the parser does not mind.
    private static JsonObject Scalar() => new() { ["type"] = new JsonArray("string", "number") };
}
