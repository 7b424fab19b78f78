using System.IO.Enumeration;

namespace Slipway.Disks.Booting;

/// <summary>
/// Files of <c>loader/entries</c> (UAPI.1 Boot Loader Specification): one system each. GRUB's <c>blscfg</c> and
/// systemd-boot boot the one that their configuration names, or the newest.
/// </summary>
internal static class LoaderEntries
{
    /// <param name="files">The content of each <c>*.conf</c> by its name without that.</param>
    /// <param name="wanted">An id, or a pattern of one (systemd-boot's <c>default</c>); null or without a match: the newest.</param>
    /// <param name="environment">GRUB's, for <c>$kernelopts</c> and its kin.</param>
    public static BootEntry? Default(IReadOnlyDictionary<string, string> files, string? wanted, IReadOnlyDictionary<string, string> environment)
    {
        var entries = files.Select(f => Parse(f.Key, f.Value, environment)).OfType<Sorted>()
            .OrderByDescending(e => e.SortKey.Length > 0)
            .ThenBy(e => e.SortKey, StringComparer.Ordinal)
            .ThenByDescending(e => e.Version, VersionOrder.Instance)
            .ThenByDescending(e => e.Entry.Name, VersionOrder.Instance)
            .Select(e => e.Entry).ToList();
        if (wanted is { Length: > 0 } && entries.Find(e => e.Name == wanted || FileSystemName.MatchesSimpleExpression(wanted.Replace(".conf", "", StringComparison.Ordinal), e.Name)) is { } named)
            return named;
        return entries.FirstOrDefault();
    }

    private static Sorted? Parse(string name, string text, IReadOnlyDictionary<string, string> environment)
    {
        var (kernel, version, sort) = ((string?)null, "", "");
        var (initrds, options) = (new List<string>(), new List<string>());
        foreach (var line in text.Split('\n').Select(l => l.Trim()))
        {
            var blank = line.AsSpan().IndexOfAny(' ', '\t');
            if (blank < 0 || line[0] == '#')
                continue;
            var value = line[blank..].Trim();
            switch (line[..blank])
            {
                case "linux":
                    kernel = value;
                    break;
                case "initrd":
                    // Fedora's own: a list on one line, and variables of GRUB's that are mostly empty.
                    initrds.AddRange(value.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(v => Expand(v, environment)).Where(v => v.Length > 0));
                    break;
                case "options":
                    options.AddRange(value.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(v => Expand(v, environment)).Where(v => v.Length > 0));
                    break;
                case "version":
                    version = value;
                    break;
                case "sort-key":
                    sort = value;
                    break;
            }
        }
        return kernel is null ? null : new(new BootEntry(name, kernel, initrds, string.Join(' ', options)), sort, version);
    }

    private static string Expand(string word, IReadOnlyDictionary<string, string> environment) =>
        word.StartsWith('$') ? environment.GetValueOrDefault(word[1..].Trim('{', '}'), "") : word;

    private sealed record Sorted(BootEntry Entry, string SortKey, string Version);
}
