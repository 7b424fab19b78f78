namespace Slipway.Tftp.Server;

/// <summary>File names as firmware writes them, made safe.</summary>
public static class TftpName
{
    private const int MaxLength = 255;

    /// <summary>
    /// The name as a relative path with slashes; null where it would leave the folder it is relative to, or holds what no
    /// name holds. Windows boot loaders write backslashes, many loaders a leading slash.
    /// </summary>
    public static string? Normalise(string name)
    {
        if (name.Length > MaxLength || name.Any(c => char.IsControl(c) || c is ':' or '\uFFFD'))
            return null;
        var parts = name.Replace('\\', '/').Split('/', StringSplitOptions.RemoveEmptyEntries).Where(p => p != ".").ToArray();
        return parts.Length == 0 || parts.Contains("..") ? null : string.Join('/', parts);
    }
}
