using System.Collections.Frozen;
using System.Globalization;

namespace Slipway.Ipxe.Scripts;

/// <summary>A mistake in a script. <paramref name="Line"/> counts from 1.</summary>
public sealed record ScriptMistake(int Line, string Text)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"line {Line}: {Text}");
}

/// <summary>
/// Looks for what iPXE would only find when a machine runs into it: commands that do not exist, labels that are not there
/// or are there twice. Splits lines as iPXE's shell does (core/exec.c; image/script.c for labels and continued lines).
/// </summary>
public static class ScriptCheck
{
    // https://ipxe.org/cmd; a build may have fewer. The number is of the words that a command needs after its name.
    private static readonly FrozenDictionary<string, int> Commands = new Dictionary<string, int>
    {
        ["autoboot"] = 0, ["boot"] = 0, ["cert"] = 0, ["certfree"] = 0, ["certstat"] = 0, ["certstore"] = 0, ["chain"] = 0, ["choose"] = 1, ["clear"] = 1,
        ["colour"] = 0, ["color"] = 0, ["config"] = 0, ["console"] = 0, ["cpair"] = 0, ["cpuid"] = 1, ["dhcp"] = 0, ["digest"] = 1, ["echo"] = 0,
        ["exit"] = 0, ["fcels"] = 0, ["fcstat"] = 0, ["fdt"] = 0, ["form"] = 0, ["gdbstub"] = 1, ["goto"] = 1, ["help"] = 0, ["ibstat"] = 0,
        ["ifclose"] = 0, ["ifconf"] = 0, ["iflinkwait"] = 0, ["ifopen"] = 0, ["ifstat"] = 0, ["imgargs"] = 1, ["imgdecrypt"] = 2, ["imgexec"] = 0,
        ["imgextract"] = 1, ["imgfetch"] = 1, ["imgfree"] = 0, ["imgload"] = 1, ["imgmem"] = 1, ["imgselect"] = 1, ["imgstat"] = 0, ["imgtrust"] = 0,
        ["imgverify"] = 2, ["inc"] = 1, ["initrd"] = 0, ["ipstat"] = 0, ["iseq"] = 1, ["isset"] = 0, ["item"] = 0, ["kernel"] = 1, ["lldp"] = 0,
        ["login"] = 0, ["lotest"] = 2, ["md5sum"] = 1, ["menu"] = 0, ["module"] = 1, ["neighbour"] = 0, ["nslookup"] = 2, ["nstat"] = 0, ["ntp"] = 1,
        ["param"] = 1, ["params"] = 0, ["pcap"] = 0, ["pciscan"] = 1, ["ping"] = 1, ["poweroff"] = 0, ["present"] = 0, ["profstat"] = 0, ["prompt"] = 0,
        ["pxebs"] = 2, ["read"] = 1, ["reboot"] = 0, ["route"] = 0, ["sanboot"] = 0, ["sanhook"] = 1, ["sanunhook"] = 0, ["set"] = 1, ["sha1sum"] = 1,
        ["sha256sum"] = 1, ["sha512sum"] = 1, ["shell"] = 0, ["shim"] = 0, ["show"] = 1, ["sleep"] = 1, ["startpxe"] = 0, ["stoppxe"] = 0, ["sync"] = 0,
        ["time"] = 1, ["usbscan"] = 1, ["vcreate"] = 1, ["vdestroy"] = 1, ["iwlist"] = 0, ["iwstat"] = 0,
    }.ToFrozenDictionary();

    /// <summary>Every mistake, in the order of the lines; none in a script that iPXE can run.</summary>
    public static IReadOnlyList<ScriptMistake> Find(string script)
    {
        var mistakes = new List<ScriptMistake>();
        var labels = new Dictionary<string, int>();
        var jumps = new List<(int Line, string Label)>();
        foreach (var (number, line) in Lines(script))
        {
            if (number == 1 && line.StartsWith("#!", StringComparison.Ordinal))
            {
                if (line.TrimEnd() != "#!ipxe" && !line.StartsWith("#!ipxe ", StringComparison.Ordinal) && !line.StartsWith("#!gpxe", StringComparison.Ordinal))
                    mistakes.Add(new(number, $"'{line}': an iPXE script begins with #!ipxe"));
                continue;
            }
            if (line.AsSpan().IndexOfAnyInRange('\0', '\b') >= 0)
                mistakes.Add(new(number, "a control character is no part of a script"));
            if (line.StartsWith(':'))
            {
                var label = line[1..].Split((char[]?)null, 2)[0];
                if (label.Length == 0)
                    mistakes.Add(new(number, "a label needs a name"));
                else if (!labels.TryAdd(label, number))
                    mistakes.Add(new(number, string.Create(CultureInfo.InvariantCulture, $"the label '{label}' is in line {labels[label]} already: iPXE goes to the first")));
                continue;
            }
            foreach (var command in Split(line))
                Check(number, command, mistakes, jumps);
        }
        foreach (var (line, label) in jumps.Where(j => !j.Label.Contains("${", StringComparison.Ordinal) && !labels.ContainsKey(j.Label)))
            mistakes.Add(new(line, $"there is no label ':{label}'"));
        return [.. mistakes.OrderBy(m => m.Line)];
    }

    private static void Check(int line, IReadOnlyList<string> words, List<ScriptMistake> mistakes, List<(int, string)> jumps)
    {
        // What a setting holds is known when it runs.
        if (words[0].Contains("${", StringComparison.Ordinal))
            return;
        if (!Commands.TryGetValue(words[0], out var needed))
        {
            var near = Commands.Keys.Where(c => Distance(c, words[0]) <= 2).OrderBy(c => Distance(c, words[0])).ThenBy(c => c, StringComparer.Ordinal).FirstOrDefault();
            mistakes.Add(new(line, $"'{words[0]}' is no command of iPXE" + (near is null ? "" : $"; did you mean {near}?")));
            return;
        }
        if (words.Count - 1 < needed)
            mistakes.Add(new(line, string.Create(CultureInfo.InvariantCulture, $"'{words[0]}' needs {(needed == 1 ? "a word" : $"{needed} words")} after it")));
        else if (words[0] == "goto")
            jumps.Add((line, words[1]));
        if (words.FirstOrDefault(w => Unclosed(w)) is { } open)
            mistakes.Add(new(line, $"'{open}': a setting that begins with ${{ ends with }}"));
    }

    // A setting's name may hold another's value, so braces nest.
    private static bool Unclosed(string word)
    {
        var depth = 0;
        for (var i = 0; i < word.Length; i++)
        {
            if (word[i] == '$' && i + 1 < word.Length && word[i + 1] == '{')
                depth++;
            else if (word[i] == '}' && depth > 0)
                depth--;
        }
        return depth > 0;
    }

    /// <summary>The commands of a line: words up to <c>||</c>, <c>&amp;&amp;</c>, <c>;</c>, or a word that begins with <c>#</c>.</summary>
    private static IEnumerable<IReadOnlyList<string>> Split(string line)
    {
        var command = new List<string>();
        foreach (var word in line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            if (word.StartsWith('#'))
                break;
            if (word is "||" or "&&" or ";")
            {
                if (command.Count > 0)
                    yield return command;
                command = [];
                continue;
            }
            command.Add(word);
        }
        if (command.Count > 0)
            yield return command;
    }

    private static IEnumerable<(int Number, string Line)> Lines(string script)
    {
        var (first, pending) = (0, "");
        foreach (var (index, raw) in script.ReplaceLineEndings("\n").Split('\n').Index())
        {
            if (pending.Length == 0)
                first = index + 1;
            if (raw.EndsWith('\\'))
            {
                pending += raw[..^1] + " ";
                continue;
            }
            yield return (first, pending + raw);
            pending = "";
        }
        if (pending.Length > 0)
            yield return (first, pending);
    }

    // Levenshtein's, for words as short as commands.
    private static int Distance(string a, string b)
    {
        if (Math.Abs(a.Length - b.Length) > 2)
            return int.MaxValue;
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                (diagonal, row[j]) = (row[j], cost);
            }
        }
        return row[^1];
    }
}
