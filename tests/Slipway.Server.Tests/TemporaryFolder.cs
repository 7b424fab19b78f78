namespace Slipway.Server.Tests;

internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("slipway-test-").FullName;

    /// <summary>An executable shell script.</summary>
    public string Script(string name, string body)
    {
        var path = System.IO.Path.Combine(Path, name);
        File.WriteAllText(path, "#!/bin/sh\n" + body + "\n");
        Net.Tool.Run("chmod", "700", path);
        return path;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
