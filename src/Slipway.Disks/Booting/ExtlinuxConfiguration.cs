namespace Slipway.Disks.Booting;

/// <summary>An <c>extlinux.conf</c>, as U-Boot and syslinux read it (U-Boot, doc/README.pxe).</summary>
internal static class ExtlinuxConfiguration
{
    /// <summary>The entry that <c>default</c> names, or the first; null where there is none with a kernel.</summary>
    public static BootEntry? Default(string text)
    {
        var entries = new List<BootEntry>();
        var wanted = "";
        foreach (var line in text.Split('\n').Select(l => l.Trim()))
        {
            var blank = line.AsSpan().IndexOfAny(' ', '\t');
            if (blank < 0 || line[0] == '#')
                continue;
            var value = line[blank..].Trim();
            var keyword = line[..blank].ToLowerInvariant();
            switch (keyword)
            {
                case "default" when entries.Count == 0:
                    wanted = value;
                    break;
                case "label":
                    entries.Add(new(value, "", [], ""));
                    break;
                case "kernel" or "linux" or "initrd" or "append" when entries.Count > 0:
                    entries[^1] = With(entries[^1], keyword, value);
                    break;
            }
        }
        return entries.Find(e => e.Name == wanted && e.Kernel.Length > 0) ?? entries.Find(e => e.Kernel.Length > 0);
    }

    private static BootEntry With(BootEntry entry, string keyword, string value) => keyword switch
    {
        "initrd" => entry with { Initrds = [.. value.Split(',', StringSplitOptions.RemoveEmptyEntries)] },
        "append" => Append(entry, value),
        _ => entry with { Kernel = value },
    };

    // syslinux has the RAM disk among the arguments.
    private static BootEntry Append(BootEntry entry, string value)
    {
        const string Initrd = "initrd=";
        var words = value.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return entry with
        {
            Arguments = string.Join(' ', words.Where(w => !w.StartsWith(Initrd, StringComparison.Ordinal))),
            Initrds = [.. entry.Initrds, .. words.Where(w => w.StartsWith(Initrd, StringComparison.Ordinal)).SelectMany(w => w[Initrd.Length..].Split(','))],
        };
    }
}
