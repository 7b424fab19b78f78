namespace Slipway.Demo.Image;

/// <summary>Files of the demo machine's disk that are part of this program.</summary>
internal static class DemoFile
{
    public static byte[] Read(string name)
    {
        using var resource = typeof(DemoFile).Assembly.GetManifestResourceStream("demo/" + name)
            ?? throw new InvalidOperationException($"demo/{name} is not in the program");
        var bytes = new byte[resource.Length];
        resource.ReadExactly(bytes);
        return bytes;
    }
}
