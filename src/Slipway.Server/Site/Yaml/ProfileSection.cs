using Slipway.Fleet.Profiles;
using Slipway.Ipxe.Scripts;

namespace Slipway.Server.Site.Yaml;

/// <summary>Reads the entries of <c>profiles</c> in <c>slipway.yaml</c>. docs/profiles.md describes them.</summary>
internal static class ProfileSection
{
    private static readonly Dictionary<string, Kind> Words = new()
    {
        [SanBootProfile.Word] = Kind.SanBoot, [DirectProfile.Word] = Kind.Direct, [MenuProfile.Word] = Kind.Menu, [ScriptProfile.Word] = Kind.Script, [LocalProfile.Word] = Kind.Local,
    };

    // iPXE counts milliseconds in 32 bits.
    private static readonly TimeSpan LongestMenu = TimeSpan.FromDays(7);

    public static BootProfile Profile(YamlSection section)
    {
        section.Allow("name", "kind", "title", "kernel", "initrd", "arguments", "entries", "default", "timeout", "script");
        var name = section.Name("name");
        if (BootProfiles.BuiltIn.Any(p => p.Name == name))
            throw section.Wrong("name", $"every site has a profile '{name}': give this one another name");
        var kind = section.Value("kind", string.Join(", ", Words.Keys.SkipLast(1)) + " or " + Words.Keys.Last(), text => Words.TryGetValue(text, out var known) ? known : (Kind?)null);
        var title = section.Text("title", "") is { Length: > 0 } text ? Plain(section, "title", text) : null;
        string[] own = kind switch
        {
            Kind.Direct => ["kernel", "initrd", "arguments"],
            Kind.Menu => ["entries", "default", "timeout"],
            Kind.Script => ["script"],
            _ => [],
        };
        foreach (var key in section.Keys.Except(["name", "kind", "title", .. own]))
            throw section.Wrong(key, $"is not for a profile of the kind {section.Text("kind")}");
        return kind switch
        {
            Kind.Direct => Direct(section, name, title),
            Kind.Menu => Menu(section, name, title),
            Kind.Script => Script(section, name, title),
            Kind.Local => new LocalProfile { Name = name, Title = title },
            _ => new SanBootProfile { Name = name, Title = title },
        };
    }

    /// <summary>Checks what the profiles, machines and rules say of each other.</summary>
    public static void CheckReferences(SiteConfiguration site, YamlSection root)
    {
        foreach (var (section, menu) in root.List("profiles").Zip(site.Profiles).Where(p => p.Second is MenuProfile))
        {
            foreach (var entry in ((MenuProfile)menu).Entries.Where(e => site.BootProfiles.Find(e) is null))
                throw section.Wrong("entries", $"there is no profile '{entry}'; there are {site.BootProfiles.Names}");
        }
        foreach (var (section, machine) in root.List("machines").Zip(site.Machines))
            Check(section, machine.Profile);
        foreach (var (section, rule) in root.List("approve").Zip(site.Approve))
            Check(section, rule.Profile);

        void Check(YamlSection section, string profile)
        {
            if (site.BootProfiles.Find(profile) is null)
                throw section.Wrong("profile", $"there is no profile '{profile}'; there are {site.BootProfiles.Names}");
        }
    }

    private static DirectProfile Direct(YamlSection section, string name, string? title)
    {
        var kernel = section.Text("kernel", "") is { Length: > 0 } path ? Absolute("kernel", path) : null;
        var initrds = section.Texts("initrd").Select(text => Absolute("initrd", text)).ToList();
        if (kernel is null && initrds.Count > 0)
            throw section.Wrong("initrd", "goes with kernel: without it both are found in the volume");
        return new DirectProfile
        {
            Name = name,
            Title = title,
            Kernel = kernel,
            Initrds = initrds,
            Arguments = Plain(section, "arguments", section.Text("arguments", "")),
        };

        string Absolute(string key, string text) => text.StartsWith('/') ? text : throw section.Wrong(key, $"'{text}' is not a path from the root of a file system in the volume, like /boot/vmlinuz");
    }

    private static MenuProfile Menu(YamlSection section, string name, string? title)
    {
        var entries = section.Texts("entries");
        var chosen = section.Text("default", entries.Count > 0 ? entries[0] : "");
        var timeout = section.Value("timeout", "a time from 1s to 7d, like 10s or 5m", text => SiteTime.Parse(text) is { } time && time <= LongestMenu ? time : null, TimeSpan.Zero);
        if (entries.Count == 0)
            throw section.Wrong("entries", "a menu needs at least one profile to choose");
        if (entries.Contains(name))
            throw section.Wrong("entries", "a menu that has itself for an entry has no end");
        if (entries.Distinct().Count() < entries.Count)
            throw section.Wrong("entries", "a profile is there twice");
        if (!entries.Contains(chosen))
            throw section.Wrong("default", $"'{chosen}' is not one of {string.Join(", ", entries)}");
        return new MenuProfile
        {
            Name = name,
            Title = title,
            Entries = entries,
            Default = chosen,
            Timeout = timeout > TimeSpan.Zero ? timeout : null,
        };
    }

    private static ScriptProfile Script(YamlSection section, string name, string? title)
    {
        var script = section.Text("script");
        foreach (var mistake in ScriptCheck.Find(script))
            throw section.WrongInside("script", mistake.Line, mistake.Text);
        return new ScriptProfile { Name = name, Title = title, Script = script };
    }

    private static string Plain(YamlSection section, string key, string text)
    {
        try
        {
            return IpxeText.Plain(text).ToString();
        }
        catch (ArgumentException)
        {
            throw section.Wrong(key, $"'{text}' must be plain words: an iPXE script has no way to say others");
        }
    }

    private enum Kind
    {
        SanBoot,
        Direct,
        Menu,
        Script,
        Local,
    }
}
