namespace Slipway.Demo;

/// <summary>Where the demo keeps what can be made anew (XDG Base Directory Specification).</summary>
internal static class DemoCache
{
    public static string Folder => Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache
            ? cache
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"),
        "slipway", "demo");
}
