using System.Runtime.InteropServices;
using Slipway.Server.Tests.Net;
using Slipway.Tests;

namespace Slipway.EndToEnd;

/// <summary>The program as the README installs it: linked for this host, once for all tests of a class.</summary>
public sealed class NativeProgram : IAsyncLifetime
{
    // A minute and a half on two cores that do nothing else; the first time it fetches the compiler.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    public string Path { get; } = System.IO.Path.Combine(Repository.Root, "artifacts/native/slipway");

    public async ValueTask InitializeAsync()
    {
        var platform = $"linux-{RuntimeInformation.OSArchitecture}".ToLowerInvariant();
        // Build servers would outlive the command, with its output still open.
        using var publish = new BackgroundTool("dotnet", "publish", System.IO.Path.Combine(Repository.Root, "src/Slipway"), "-r", platform, "-v", "q", "-nologo", "-nodeReuse:false", "-p:UseSharedCompilation=false");
        Assert.True(await publish.EndAsync(Patience) == 0, string.Join('\n', publish.Lines));
    }

    public ValueTask DisposeAsync() => default;
}
