using Slipway.Bench.Report;

namespace Slipway.Bench;

/// <summary>What a bench's <c>run</c> does: measures the rows that are asked for, prints them, and writes the page anew.</summary>
internal static class BenchRun
{
    /// <param name="args">The repository's root, then the command line.</param>
    /// <param name="name">The bench's folder.</param>
    /// <param name="peer">Whom the plot's second bars are of.</param>
    /// <param name="rows">All rows, given whether the run is a quick one.</param>
    public static int Run(string[] args, string name, string peer, Func<Bench, bool, IEnumerable<Row>> rows)
    {
        if (args is not [var root, .. var rest])
        {
            Console.Error.WriteLine($"Start bench/{name}/run, which builds what is needed.");
            return 2;
        }
        var quick = rest.Contains("--quick");
        var wanted = rest.Where(a => !a.StartsWith('-')).ToHashSet();
        using var bench = new Bench(root, name);
        var all = rows(bench, quick).ToList();
        if (rest.Contains("--list") || rest.Any(a => a.StartsWith('-') && a != "--quick") || wanted.Any(w => all.All(r => r.Id != w)))
        {
            Console.WriteLine("usage: run [--quick] [ROW...]\nrows:\n  " + string.Join("\n  ", all.Select(r => $"{r.Id,-22} {r.Work}")));
            return rest.Contains("--list") ? 0 : 2;
        }
        foreach (var row in all.Where(r => wanted.Count == 0 || wanted.Contains(r.Id))) Measure(bench, row, rounds: quick ? 3 : 5);
        PerformancePage.Write(bench, peer, [.. all.Select(r => (r, Figures.Load(bench, r.Id)))]);
        return 0;
    }

    private static void Measure(Bench bench, Row row, int rounds)
    {
        using var round = row.Begin(bench);
        var values = round.Series.ToDictionary(s => s.Name, _ => new double[rounds]);
        // One more round than counts, the first: code is compiled, caches are filled. Contenders take turns, so that what
        // disturbs the machine disturbs all.
        for (var i = -1; i < rounds; i++)
        {
            foreach (var series in round.Series)
            {
                bench.Warm();
                var value = series.Measure();
                if (i >= 0)
                    values[series.Name][i] = value;
            }
        }
        var figures = new Figures(values);
        figures.Save(bench, row.Id);
        Console.WriteLine($"{row.Id}: {Text.Figure(row, figures.Figure(row.Subject, row.Reference))} (bar {Text.Bar(row.Bar)})");
        foreach (var (name, each) in values)
            Console.WriteLine($"  {name,-12} {Text.Of(figures.Median(name)),9} {row.Unit}   {string.Join(' ', each.Select(Text.Of))}");
    }
}
