using System.Globalization;

namespace Slipway.Tests.Targets;

/// <summary>Initiators of libiscsi that share a disk and abort each other's commands in every way there is.</summary>
public sealed class ContentionTests : IDisposable
{
    private const int Contenders = 4, Rounds = 400;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Nobody_waits_for_ever_for_a_command_that_another_aborts()
    {
        var (disk, contender) = (_folder["disk.raw"], _folder["contender"]);
        await Tool.RunAsync("qemu-img", "create", "-q", "-f", "raw", disk, "64M");
        await Tool.RunAsync("gcc", "-O2", "-Wall", "-Werror", "-o", contender, Path.Combine(AppContext.BaseDirectory, "Targets", "contender.c"), "-liscsi");
        await using var target = await ServedTarget.StartAsync(disk);

        // timeout(1) bounds how long a hang is waited for; it is 124 that such an end has.
        var ends = await Task.WhenAll(Enumerable.Range(0, Contenders).Select(number => Tool.TryRunAsync(
            "timeout", "120", contender, target.Url.ToString(), number.ToString(CultureInfo.InvariantCulture), Rounds.ToString(CultureInfo.InvariantCulture))));
        Assert.All(ends, end => Assert.True(end.Status == 0, $"{end.Status}: {end.Output}\n{target.Log}"));
        Assert.Contains(ends, end => !end.Output.Contains(" 0 of them aborted", StringComparison.Ordinal));
        await target.RunAsync("iscsi-readcapacity16");
        Assert.Equal(0, await target.InterruptAsync());
    }
}
