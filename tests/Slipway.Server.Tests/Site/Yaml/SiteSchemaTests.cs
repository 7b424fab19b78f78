using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Slipway.Server.Site.Yaml;
using YamlDotNet.RepresentationModel;

namespace Slipway.Server.Tests.Site.Yaml;

/// <summary>What editors and readers are told of the file is what the parser takes.</summary>
public sealed partial class SiteSchemaTests
{
    private static readonly string Repository = FolderOf("README.md");

    [Fact]
    public void Every_key_is_read_by_the_parser_and_has_a_meaning()
    {
        var keys = SiteShape.Read().Keys;
        Assert.Empty(keys.Where(k => k.Kind is null).Select(k => k.Path));
        Assert.Empty(keys.Where(k => SiteMeanings.Of(k.Path).Length == 0).Select(k => k.Path));
        Assert.Contains(keys, k => k is { Path: "networks[].relays[].lease-time", Default: "12h", IsRequired: false });
        Assert.Contains(keys, k => k is { Path: "machines[].mac", IsRequired: true });
        Assert.Equal(["required", "optional", "off"], keys.Single(k => k.Path == "https.client-certificates").Words);
        Assert.Equal("off", keys.Single(k => k.Path == "https.client-certificates").Default);
    }

    [Fact]
    public void A_key_that_the_parser_does_not_know_is_unknown_to_the_schema()
    {
        foreach (var section in SiteShape.Read().Keys.Select(k => k.Section).Distinct())
        {
            var schema = SiteSchema.ToJson();
            foreach (var part in section.Split('.', StringSplitOptions.RemoveEmptyEntries))
            {
                var property = schema["properties"]![part.Replace("[]", "", StringComparison.Ordinal)]!.AsObject();
                schema = (part.EndsWith("[]", StringComparison.Ordinal) ? property["items"] : property)!.AsObject();
            }
            Assert.False(schema["additionalProperties"]!.GetValue<bool>());
        }
    }

    [Theory]
    [InlineData("README.md")]
    [InlineData("docs/machines.md")]
    [InlineData("docs/profiles.md")]
    [InlineData("docs/storage-networks.md")]
    public void The_manuals_sites_are_valid(string document)
    {
        var schema = SiteSchema.ToJson();
        var blocks = YamlBlock().Matches(File.ReadAllText(Path.Combine(Repository, document)));
        Assert.NotEmpty(blocks);
        foreach (Match block in blocks)
        {
            var text = block.Groups["yaml"].Value;
            Check(SiteFile.RootOf(new StringReader(text), document), schema, document);
            SiteFile.Parse(new StringReader(text), document);
        }
    }

    [Fact]
    public void The_manual_has_every_key() =>
        Assert.EndsWith(SiteSchema.ToMarkdown(), File.ReadAllText(Path.Combine(Repository, "docs/site.md")), StringComparison.Ordinal);

    /// <summary>The part of JSON schema that ours consists of.</summary>
    private static void Check(YamlNode node, JsonObject schema, string at)
    {
        switch (node)
        {
            case YamlMappingNode mapping:
                Assert.True(schema["type"]?.ToString() == "object", at);
                var properties = schema["properties"]!.AsObject();
                Assert.Empty((schema["required"]?.AsArray() ?? []).Select(r => r!.ToString()).Except(mapping.Children.Keys.Select(k => k.ToString())));
                foreach (var (key, value) in mapping.Children)
                {
                    Assert.True(properties.ContainsKey(key.ToString()), $"{at}: {key}");
                    Check(value, properties[key.ToString()]!.AsObject(), $"{at}.{key}");
                }
                break;
            case YamlSequenceNode list:
                var items = schema["items"] ?? schema["anyOf"]![1]!["items"];
                foreach (var entry in list)
                    Check(entry, items!.AsObject(), at);
                break;
            default:
                Assert.False(schema["type"] is JsonValue type && type.ToString() is "object" or "array", at);
                if (schema["enum"] is JsonArray words)
                    Assert.Contains(node.ToString(), words.Select(w => w!.ToString()));
                break;
        }
    }

    private static string FolderOf(string file)
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, file)))
            folder = Path.GetDirectoryName(folder)!;
        return folder;
    }

    [GeneratedRegex("```yaml\n(?<yaml>.*?)```", RegexOptions.Singleline)]
    private static partial Regex YamlBlock();
}
