namespace Slipway.Server.Site;

/// <summary>What a misspelt word was likely meant to be.</summary>
internal static class NearestWord
{
    /// <summary>"; did you mean x?", to go behind a message; empty where nothing is near.</summary>
    public static string Asked(string word, IEnumerable<string> words) => Of(word, words) is { } near ? $"; did you mean {near}?" : "";

    /// <summary>The word that is the fewest changes away, one in four letters at most; or the only one that begins so. Null where there is none.</summary>
    public static string? Of(string word, IEnumerable<string> words)
    {
        var all = words.Distinct().ToList();
        var near = all.Select(w => (Word: w, Changes: Changes(Plain(word), Plain(w)))).Where(w => w.Changes <= Math.Max(1, word.Length / 4) && w.Changes < word.Length)
            .OrderBy(w => w.Changes).Select(w => w.Word).FirstOrDefault();
        var begun = word.TrimStart('-').Length > 2 ? all.Where(w => w.StartsWith(word, StringComparison.OrdinalIgnoreCase)).Take(2).ToList() : [];
        return near ?? (begun is [var one] ? one : null);
    }

    // lease_time, leaseTime and LEASE-TIME are no distance from lease-time.
    private static string Plain(string word) => word.Replace("_", "-", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).ToLowerInvariant();

    /// <summary>Letters inserted, left out, replaced, or changed with their neighbour (optimal string alignment).</summary>
    private static int Changes(string a, string b)
    {
        var table = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                table[i, j] = (i, j) switch
                {
                    (0, _) => j,
                    (_, 0) => i,
                    _ => Math.Min(Math.Min(table[i - 1, j], table[i, j - 1]) + 1, table[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)),
                };
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    table[i, j] = Math.Min(table[i, j], table[i - 2, j - 2] + 1);
            }
        }
        return table[a.Length, b.Length];
    }
}
