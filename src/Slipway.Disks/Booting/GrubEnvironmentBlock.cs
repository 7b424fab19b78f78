namespace Slipway.Disks.Booting;

/// <summary>The variables of a GRUB environment block (<c>grubenv</c>; GRUB manual §15.2).</summary>
internal static class GrubEnvironmentBlock
{
    public static IReadOnlyDictionary<string, string> Read(string text)
    {
        var variables = new Dictionary<string, string>();
        foreach (var line in text.Split('\n'))
        {
            if (!line.StartsWith('#') && line.IndexOf('=', StringComparison.Ordinal) is > 0 and var at)
                variables[line[..at]] = line[(at + 1)..].Replace("\\\\", "\\", StringComparison.Ordinal);
        }
        return variables;
    }
}
