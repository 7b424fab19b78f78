using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Slipway.Tests.Targets;

namespace Slipway.Tests.Conformance;

/// <summary>
/// libiscsi's conformance suite, whole, each test on its own, against <c>slipway target</c>. What may skip is listed with
/// its reason in skips.txt, and must.
/// </summary>
public sealed partial class ConformanceTests
{
    private const int Limit = 30;

    // Some tests wait for seconds. A reset of a target ends what goes on on it, so each lane has a target of its own.
    private const int Lanes = 4;

    [Theory]
    [InlineData("raw")]
    [InlineData("qcow2")]
    public async Task Every_test_of_iscsi_test_cu_passes(string format)
    {
        var tests = await SuiteRun.ListAsync();
        var skips = await ReadSkipsAsync();
        Assert.Empty(skips.Except(tests));
        var queue = new ConcurrentQueue<string>(tests.Where(t => t != SanitizeTests.Name));
        var lanes = await Task.WhenAll(Enumerable.Range(0, Lanes).Select(_ => Task.Run(() => RunLaneAsync(format, queue))));
        var runs = lanes.SelectMany(l => l).ToList();
        Assert.Equal(tests.Count - 1, runs.Count);
        var wrong = runs.Where(r => r.Verdict != (skips.Contains(r.Test) ? Verdict.Skipped : Verdict.Passed)).ToList();
        Assert.True(wrong.Count == 0, string.Join('\n', wrong.Select(r => $"{r.Test}: {r.Verdict}\n{r.Output}")));
    }

    private static async Task<List<SuiteRun>> RunLaneAsync(string format, ConcurrentQueue<string> queue)
    {
        using var folder = new TemporaryFolder();
        var disks = new List<string>();
        foreach (var options in (string[])["", ",removable", ",read-only", ",block-size=4096", ""])
        {
            var file = folder[$"{disks.Count}.{format}"];
            await Tool.RunAsync("qemu-img", "create", "-q", "-f", format, file, "64M");
            disks.Add(file + options);
        }
        await using var target = await ServedTarget.StartAsync(disks[0], [.. disks[1..], "--portal", "127.0.0.1:0", "--json"]);
        // A line of JSON: the URLs of each disk, first by the one portal and then by the other.
        var urls = UrlPattern().Matches(target.Log).Select(m => m.Value).ToLookup(u => u[(u.LastIndexOf('/') + 1)..]);
        var runs = new List<SuiteRun>();
        while (queue.TryDequeue(out var test))
            runs.Add(await SuiteRun.ExecuteAsync(test, Limit, [.. DisksFor(test, urls)]));
        return runs;
    }

    private static IEnumerable<string> DisksFor(string test, ILookup<string, string> urls) => test.Split('.')[1] switch
    {
        // Begins with blocks 0 to 255 and goes on to block 256 (test_multipathio_compareandwrite.c), which it takes for empty.
        "MultipathIO" when test.EndsWith(".CompareAndWrite", StringComparison.Ordinal) => urls["4"],
        "MultipathIO" => urls["0"],
        "NoMedia" or "PreventAllow" or "StartStopUnit" => urls["1"].Take(1),
        "ReadOnly" => urls["2"].Take(1),
        // Asks for the state from block i+1 on and wants to be told of it from i+LBPPB on (test_get_lba_status_unmap_single.c):
        // no target can do both unless a physical block is a logical one. The tests that need the two to differ skip there.
        "GetLBAStatus" when test.EndsWith(".UnmapSingle", StringComparison.Ordinal) => urls["3"].Take(1),
        _ => urls["0"].Take(1),
    };

    private static async Task<HashSet<string>> ReadSkipsAsync()
    {
        var lines = await File.ReadAllLinesAsync(Path.Combine(AppContext.BaseDirectory, "Conformance", "skips.txt"));
        var skips = lines.Where(l => l.Length > 0 && l[0] != '#').Select(l => l.Split(' ', 2, StringSplitOptions.TrimEntries)).ToList();
        Assert.All(skips, s => Assert.True(s is [_, { Length: > 0 }], $"{s[0]} skips without a reason"));
        return [.. skips.Select(s => s[0])];
    }

    [GeneratedRegex("iscsi://[^\"\\s]+")]
    private static partial Regex UrlPattern();
}

/// <summary>The one test of the suite that needs a slow disk, and a minute.</summary>
public sealed class SanitizeTests
{
    public const string Name = "ALL.Sanitize.Reset";

    /// <summary>It looks after four seconds whether resets have stopped the overwriting, and after 64 whether it is done.</summary>
    [Fact]
    public async Task Sanitizing_goes_on_through_every_reset()
    {
        using var folder = new TemporaryFolder();
        await Tool.RunAsync("qemu-img", "create", "-q", "-f", "raw", folder["disk.raw"], "256M");
        await using var target = await ServedTarget.StartAsync(folder["disk.raw"], "--fault", "delay=100ms on=write");
        var run = await SuiteRun.ExecuteAsync(Name, 150, target.Url.ToString());
        Assert.True(run.Verdict == Verdict.Passed, run.Output);
    }
}
