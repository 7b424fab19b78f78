using System.Text;

namespace Slipway.Disks.Booting;

/// <summary>
/// Reads a <c>grub.cfg</c> for what it would boot when nobody touches a key: its entries, and which is the default
/// (GRUB manual §16). It is a script, of which this follows what generated and hand-written ones have in common:
/// <c>set</c>, <c>menuentry</c>, <c>submenu</c>, <c>linux</c>, <c>initrd</c>. Both branches of an <c>if</c> are read;
/// what is unset is empty, as in GRUB, and an empty default does not count.
/// </summary>
internal sealed class GrubConfiguration
{
    private const int MostLines = 20_000;

    private readonly Dictionary<string, string> _variables;
    private readonly List<Entry> _entries = [];
    private readonly List<Block> _blocks = [];
    private string _default = "";

    private GrubConfiguration(IReadOnlyDictionary<string, string> environment) => _variables = new(environment);

    /// <summary>The default entry; null where there is none with a kernel.</summary>
    /// <param name="environment">GRUB's environment block: <c>saved_entry</c> and what else it holds.</param>
    public static BootEntry? Default(string text, IReadOnlyDictionary<string, string> environment)
    {
        var configuration = new GrubConfiguration(environment);
        foreach (var line in text.Replace("\\\n", "", StringComparison.Ordinal).Split('\n').Take(MostLines))
            configuration.Take(configuration.Words(line));
        return configuration.Choose();
    }

    private void Take(List<string> words)
    {
        if (words.Count == 0)
            return;
        var opens = words[^1] == "{";
        switch (words[0])
        {
            case "menuentry" or "submenu" when words.Count > 1 && opens:
                Open(words);
                break;
            case "}" when _blocks.Count > 0:
                _blocks.RemoveAt(_blocks.Count - 1);
                break;
            case "set" when words.Count > 1 && words[1].IndexOf('=', StringComparison.Ordinal) is > 0 and var at:
                Set(words[1][..at], words[1][(at + 1)..]);
                break;
            case "linux" or "linuxefi" or "linux16" when words.Count > 1:
                Here().Kernel = File(words[1]);
                Here().Arguments = string.Join(' ', words.Skip(2).Where(w => w.Length > 0));
                break;
            case "initrd" or "initrdefi" or "initrd16":
                Here().Initrds = [.. words.Skip(1).Where(w => w.Length > 0 && !w.StartsWith("--", StringComparison.Ordinal)).Select(File)];
                break;
            default:
                // A function, or braces of something else.
                if (opens)
                    _blocks.Add(_blocks.Count > 0 ? _blocks[^1] : new(null, null));
                break;
        }
    }

    private void Open(List<string> words)
    {
        var parent = _blocks.Count > 0 ? _blocks[^1].Menu : null;
        var siblings = parent?.Children ?? _entries;
        var named = words.FindIndex(w => w is "--id" or "$menuentry_id_option");
        var entry = new Entry(words[1], named > 0 && named + 1 < words.Count ? words[named + 1] : null);
        siblings.Add(entry);
        _blocks.Add(words[0] == "submenu" ? new(entry, null) : new(parent, entry));
    }

    private void Set(string name, string value)
    {
        _variables[name] = value;
        if (name == "default" && value.Length > 0)
            _default = value;
    }

    // Commands outside of all entries are carried out before a menu is shown: a file of nothing else boots that way.
    private Entry Here()
    {
        if (_blocks.Count > 0 && _blocks[^1].Entry is { } inside)
            return inside;
        if (_entries.Find(e => e.Title.Length == 0) is { } flat)
            return flat;
        _entries.Insert(0, new Entry("", null));
        return _entries[0];
    }

    private BootEntry? Choose()
    {
        var (siblings, chosen) = (_entries, (Entry?)null);
        foreach (var step in (_default.Length > 0 ? _default : "0").Split('>'))
        {
            chosen = int.TryParse(step, out var index)
                ? siblings.ElementAtOrDefault(index)
                : siblings.Find(e => e.Title == step || e.Id == step);
            if (chosen is null)
                break;
            siblings = chosen.Children;
        }
        // As GRUB does, which begins with the first where the default is not there.
        chosen = Bootable(chosen) ?? _entries.Select(Bootable).FirstOrDefault(e => e is not null);
        return chosen is null ? null : new BootEntry(chosen.Id ?? chosen.Title, chosen.Kernel!, chosen.Initrds, chosen.Arguments);
    }

    private static Entry? Bootable(Entry? entry) => entry switch
    {
        null => null,
        { Kernel: not null } => entry,
        _ => entry.Children.Select(Bootable).FirstOrDefault(e => e is not null),
    };

    // ($root)/vmlinuz, (hd0,gpt2)/boot/vmlinuz: which partition it is, is found by where the file is.
    private static string File(string word)
    {
        var path = word.StartsWith('(') && word.IndexOf(')', StringComparison.Ordinal) is > 0 and var end ? word[(end + 1)..] : word;
        return path.StartsWith('/') ? path : "/" + path;
    }

    // GRUB's shell (manual §6.2): quotes, backslashes, and variables outside of single quotes.
    private List<string> Words(string line)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var (quote, inside) = ('\0', false);
        for (var i = 0; i < line.Length; i++)
        {
            var c = line[i];
            switch (c)
            {
                case '\'' when quote != '"':
                    (quote, inside) = (quote == '\'' ? '\0' : '\'', true);
                    break;
                case '"' when quote != '\'':
                    (quote, inside) = (quote == '"' ? '\0' : '"', true);
                    break;
                case '\\' when quote != '\'' && i + 1 < line.Length:
                    word.Append(line[++i]);
                    inside = true;
                    break;
                case '$' when quote != '\'':
                    word.Append(Variable(line, ref i));
                    inside = true;
                    break;
                case ' ' or '\t' or '\r' or ';' when quote == '\0':
                    End();
                    break;
                case '#' when quote == '\0' && !inside:
                    End();
                    return words;
                default:
                    word.Append(c);
                    inside = true;
                    break;
            }
        }
        End();
        return words;

        void End()
        {
            if (inside)
                words.Add(word.ToString());
            word.Clear();
            inside = false;
        }
    }

    private string Variable(string line, ref int at)
    {
        var braces = at + 1 < line.Length && line[at + 1] == '{';
        var start = at + (braces ? 2 : 1);
        var end = start;
        while (end < line.Length && (char.IsAsciiLetterOrDigit(line[end]) || line[end] is '_' or '?' or '*'))
            end++;
        var name = line[start..end];
        at = braces && end < line.Length && line[end] == '}' ? end : end - 1;
        // Set by GRUB itself; what follows it is an entry's id.
        return name == "menuentry_id_option" ? "--id" : _variables.GetValueOrDefault(name, "");
    }

    private sealed class Entry(string title, string? id)
    {
        public string Title => title;

        public string? Id => id;

        public List<Entry> Children { get; } = [];

        public string? Kernel { get; set; }

        public IReadOnlyList<string> Initrds { get; set; } = [];

        public string Arguments { get; set; } = "";
    }

    /// <summary>An open brace: in which submenu, and in which entry.</summary>
    private sealed record Block(Entry? Menu, Entry? Entry);
}
