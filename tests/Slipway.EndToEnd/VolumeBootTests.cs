using System.Text.RegularExpressions;
using Slipway.Server.Tests;
using Slipway.Server.Tests.Net;

namespace Slipway.EndToEnd;

/// <summary>What a volume of an image is at each boot, as the machine itself sees it.</summary>
public sealed partial class VolumeBootTests : IDisposable
{
    private static readonly TimeSpan Boot = TimeSpan.FromMinutes(4);

    private readonly TemporaryFolder _folder = new();
    private readonly NetworkNamespace _network = GuestNetwork.Create("volume", "eth1", "10.77.0.1/24");

    public void Dispose()
    {
        _network.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task What_a_machine_wrote_is_gone_at_its_next_boot_and_after_a_rebase_the_new_version_runs()
    {
        var parts = await Demo.PrepareAsync(_folder, "uboot-x86_64");
        var state = Path.Combine(_folder.Path, "state");
        Tool.Run(Demo.Program, "image", "import", parts.Part("disk"), "--name", "demo", "--state", state);
        Tool.Run(Demo.Program, "volume", "create", "--image", "demo", "--for", "node-1", "--policy", "reset", "--state", state);
        using var server = GuestNetwork.Serve(_network, _folder, parts, "pool: 10.77.0.100-10.77.0.200, probe: false", volume: "node-1");

        var (_, found) = await BootAsync(server, parts, 1);
        Assert.Null(found);
        (var second, found) = await BootAsync(server, parts, 2);
        Assert.Null(found);

        // What the second boot wrote becomes the image's next version, while the server runs.
        Tool.Run(Demo.Program, "volume", "snapshot", "node-1", "golden", "--state", state);
        Tool.Run(Demo.Program, "volume", "publish", "node-1@golden", "--state", state);
        Tool.Run(Demo.Program, "volume", "rebase", "node-1", "demo@2", "--state", state);
        (_, found) = await BootAsync(server, parts, 3);
        Assert.Equal(second, found);
        Assert.Contains("demo@2", Tool.Run(Demo.Program, "volume", "show", "node-1", "--state", state).Output, StringComparison.Ordinal);
    }

    /// <summary>What the machine wrote, and what of an earlier boot it found.</summary>
    private async Task<(string Wrote, string? Found)> BootAsync(BackgroundTool server, Demo parts, int times)
    {
        var command = GuestNetwork.UBoot(_folder, parts);
        using var machine = _network.Start([command.Program, .. command.Arguments]);
        server.WaitFor("node-1 says that it is up", Boot, times);
        Assert.Equal(0, await machine.EndAsync(Boot));
        var found = machine.Lines.Where(l => l.Contains("an earlier boot left", StringComparison.Ordinal)).Select(l => Nonce().Match(l).Value).SingleOrDefault();
        return (machine.Lines.Where(l => l.StartsWith("nonce=", StringComparison.Ordinal)).Select(l => Nonce().Match(l).Value).Single(), found);
    }

    [GeneratedRegex("nonce=[0-9a-f-]{36}")]
    private static partial Regex Nonce();
}
