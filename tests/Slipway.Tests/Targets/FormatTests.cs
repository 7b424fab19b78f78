namespace Slipway.Tests.Targets;

/// <summary>sg_format of sg3_utils, by libiscsi (sg.c).</summary>
public sealed class FormatTests : IDisposable
{
    // Of sg3_utils' exit statuses.
    private const int NotReady = 2, IllegalRequest = 5;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task sg_format_formats_a_disk_and_is_told_what_it_cannot_have()
    {
        var (disk, written, preloaded) = (_folder["disk.raw"], _folder["written.raw"], _folder["sg.so"]);
        var content = new byte[64 << 20];
        Array.Fill(content, (byte)7);
        await File.WriteAllBytesAsync(disk, content, TestContext.Current.CancellationToken);
        File.Copy(disk, written);
        await Tool.RunAsync("gcc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", preloaded, Path.Combine(AppContext.BaseDirectory, "Targets", "sg.c"), "-liscsi");
        await using var target = await ServedTarget.StartAsync(disk);

        // Protection information, and blocks of another length.
        await EndsAsync(IllegalRequest, "sg_format", "--format", "--quick", "--wait", "--fmtpinfo=2");
        await EndsAsync(IllegalRequest, "sg_format", "--format", "--quick", "--wait", "--size=4096");
        await HoldsAsync(written);
        await EndsAsync(0, "sg_format", "--format", "--quick", "--wait", "--dcrt");
        await HoldsAsync("/dev/zero");

        // IMMED, with an initialization pattern descriptor and the long header.
        await EndsAsync(0, "sg_format", "--format", "--quick", "--early", "--ip-def", "--long");
        (int Status, string Output) ready;
        do
            ready = await SgAsync("sg_turs");
        while (ready.Status == NotReady);
        Assert.Equal(0, ready.Status);

        // The target has locked the file, which cmp does not mind.
        Task HoldsAsync(string reference) => Tool.RunAsync("cmp", "-n", $"{64 << 20}", disk, reference);

        async Task EndsAsync(int status, params string[] command)
        {
            var end = await SgAsync(command);
            Assert.True(end.Status == status, $"{string.Join(' ', command)}: {end.Status}\n{end.Output}\n{target.Log}");
        }

        async Task<(int Status, string Output)> SgAsync(params string[] command)
        {
            var end = await Tool.TryRunAsync("env", ["LD_PRELOAD=" + preloaded, "SG_URL=" + target.Url, .. command, "/dev/sg-of-libiscsi"]);
            return (end.Status, end.Output);
        }
    }
}
