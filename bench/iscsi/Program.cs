using Slipway.Bench.Iscsi;
using Slipway.Bench.Iscsi.Report;

// Arguments of bench/iscsi/run, after the repository's root.
if (args is not [var root, .. var rest])
{
    Console.Error.WriteLine("Start bench/iscsi/run, which builds what is needed.");
    return 2;
}
var quick = rest.Contains("--quick");
var wanted = rest.Where(a => !a.StartsWith('-')).ToHashSet();
using var bench = new Bench(root);
var rows = new Rows(new Loads(bench, seconds: quick ? 1 : 2)).All.ToList();
if (rest.Contains("--list") || rest.Any(a => a.StartsWith('-') && a != "--quick") || wanted.Any(w => rows.All(r => r.Id != w)))
{
    Console.WriteLine("usage: run [--quick] [ROW...]\nrows:\n  " + string.Join("\n  ", rows.Select(r => $"{r.Id,-22} {r.Work}")));
    return rest.Contains("--list") ? 0 : 2;
}
var rounds = quick ? 3 : 5;
foreach (var row in rows.Where(r => wanted.Count == 0 || wanted.Contains(r.Id)))
{
    using var round = row.Begin(bench);
    var values = round.Series.ToDictionary(s => s.Name, _ => new double[rounds]);
    // One more round than counts, the first: code is compiled, caches are filled. Contenders take turns, so that what
    // disturbs the machine disturbs all.
    for (var i = -1; i < rounds; i++)
    {
        foreach (var series in round.Series)
        {
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
PerformancePage.Write(bench, [.. rows.Select(r => (r, Figures.Load(bench, r.Id)))]);
return 0;
