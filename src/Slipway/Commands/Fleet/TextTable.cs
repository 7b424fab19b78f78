namespace Slipway.Commands.Fleet;

/// <summary>Rows in columns, two blanks between; nothing at the end of a line.</summary>
internal static class TextTable
{
    public static string Of(IReadOnlyList<string> head, IEnumerable<IReadOnlyList<string?>> rows)
    {
        var all = rows.Select(r => r.Select(cell => string.IsNullOrEmpty(cell) ? "-" : cell).ToList()).Prepend([.. head]).ToList();
        var widths = Enumerable.Range(0, head.Count).Select(i => all.Max(r => r[i].Length)).ToList();
        return string.Join('\n', all.Select(r => string.Join("  ", r.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd()));
    }
}
