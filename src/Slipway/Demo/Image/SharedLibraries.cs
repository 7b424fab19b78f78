namespace Slipway.Demo.Image;

/// <summary>Finds every library that a program needs, directly or through others, in an unpacked Debian system.</summary>
internal static class SharedLibraries
{
    private static readonly EnumerationOptions Everywhere = new() { RecurseSubdirectories = true, MatchType = MatchType.Simple };

    /// <summary>Where each library goes in the machine's file system, and its content.</summary>
    public static IReadOnlyDictionary<string, byte[]> Of(byte[] program, string system)
    {
        var found = new Dictionary<string, byte[]>();
        var files = ((string[])["lib", "lib64", "usr/lib"]).Select(d => Path.Combine(system, d)).Where(Directory.Exists)
            .SelectMany(d => Directory.EnumerateFiles(d, "*.so*", Everywhere))
            .DistinctBy(Path.GetFileName).ToDictionary(f => Path.GetFileName(f)!);
        var pending = new Queue<string>(ElfNeeds.Of(program));
        while (pending.TryDequeue(out var need))
        {
            // An interpreter is named by its path, a library by its name alone.
            var name = Path.GetFileName(need);
            var place = need.StartsWith('/') ? need[1..] : "lib/" + name;
            if (found.ContainsKey(place)) continue;
            if (!files.TryGetValue(name, out var path)) throw new DemoException($"no package that was fetched has {name}");
            var content = File.ReadAllBytes(path);
            found[place] = content;
            foreach (var further in ElfNeeds.Of(content)) pending.Enqueue(further);
        }
        return found;
    }
}
