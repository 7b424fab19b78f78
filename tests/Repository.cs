namespace Slipway.Tests;

/// <summary>The checkout that the tests were built in.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Slipway.slnx")))
            folder = Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException("Slipway.slnx is in no folder above the tests");
        return folder;
    }
}
