using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Slipway.Tests;

/// <summary>Which project may use which: the last column of the table in docs/architecture.md; and what no single project can see.</summary>
public partial class HouseTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Slipway"] = ["Slipway.*"],
        ["Slipway.Server"] = ["Slipway.*"],
        ["Slipway.Fleet"] = ["Slipway.Volumes", "Slipway.Ipxe"],
        ["Slipway.Volumes"] = ["Slipway.Disks"],
        ["Slipway.Ipxe"] = ["Slipway.Disks"],
        ["Slipway.Iscsi"] = ["Slipway.Scsi"],
        ["Slipway.Scsi"] = ["Slipway.Disks"],
        ["Slipway.Disks"] = [],
        ["Slipway.Dhcp"] = [],
        ["Slipway.Tftp"] = [],
    };

    public static TheoryData<string> Projects =>
        [.. Directory.GetDirectories(Path.Combine(Repository.Root, "src")).Select(d => Path.GetFileName(d)!)];

    [Theory]
    [MemberData(nameof(Projects))]
    public void Project_uses_only_what_the_design_allows(string project)
    {
        Assert.True(Allowed.TryGetValue(project, out var allowed), $"{project} has no row in the design's table");
        var file = XDocument.Load(Path.Combine(Repository.Root, "src", project, project + ".csproj"));
        var used = file.Descendants("ProjectReference").Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value));
        Assert.All(used, u => Assert.True(allowed.Contains(u) || allowed.Contains("Slipway.*"), $"{project} must not use {u}"));
    }

    [Fact]
    public void Protocol_libraries_reference_no_host_framework()
    {
        foreach (var project in Allowed.Keys.Except(["Slipway", "Slipway.Server"]))
        {
            var file = XDocument.Load(Path.Combine(Repository.Root, "src", project, project + ".csproj"));
            Assert.Empty(file.Descendants("FrameworkReference"));
        }
    }

    /// <summary>Whoever filters the log by an event's number gets one message.</summary>
    [Fact]
    public void Events_have_numbers_of_their_own()
    {
        var numbers = Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(file => EventNumber().Matches(File.ReadAllText(file)).Select(m => m.Groups[1].Value)).ToList();
        Assert.NotEmpty(numbers);
        Assert.Empty(numbers.GroupBy(n => n).Where(g => g.Count() > 1).Select(g => g.Key));
    }

    /// <summary>Whoever is sent to a page finds it, and no page waits for nobody.</summary>
    [Fact]
    public void Errors_with_a_code_have_a_page_and_each_page_an_error()
    {
        var used = Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(file => ErrorCode().Matches(File.ReadAllText(file)).Select(m => m.Groups[1].Value)).Distinct().Order();
        var pages = Directory.GetFiles(Path.Combine(Repository.Root, "docs", "explain"), "*.md").Order(StringComparer.Ordinal).ToList();
        Assert.Equal(used, pages.Select(p => Path.GetFileNameWithoutExtension(p)));
        Assert.All(pages, page => Assert.StartsWith($"# {Path.GetFileNameWithoutExtension(page)}: ", File.ReadAllText(page), StringComparison.Ordinal));
    }

    [GeneratedRegex(@"\(slipway explain (SLP\d{4})\)")]
    private static partial Regex ErrorCode();

    [GeneratedRegex(@"\[LoggerMessage\((\d+),")]
    private static partial Regex EventNumber();
}
