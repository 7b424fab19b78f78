namespace Slipway.Tests;

/// <summary>What a command line that is wrong is told, and by which status a program sees it.</summary>
public sealed class CommandLineTests
{
    private static string Program => Path.Combine(AppContext.BaseDirectory, "slipway");

    [Theory]
    [InlineData("there is no command 'lst': there are list, show,", "machine", "lst")]
    [InlineData("--name NAME", "machine", "approve", "52:54:00:77:00:01")]
    [InlineData("either --image IMAGE", "machine", "approve", "52:54:00:77:00:01")]
    [InlineData("slipway serve: Unrecognized command or argument '--confg'; did you mean --config?", "serve", "--confg", "x.yaml")]
    [InlineData("export, ls, cat; did you mean snapshot?", "volume", "snap")]
    [InlineData("Unrecognized command or argument '--jsno'; did you mean --json?", "volume", "list", "--jsno")]
    [InlineData("Argument 'zip' not recognized. Must be one of: 'raw', 'qcow2', 'vhdx'", "volume", "export", "a", "b", "--format", "zip")]
    [InlineData("'zip' is no format: disk, sd or iso", "firmware", "media", "out", "--ipxe", "ipxe.efi", "--server", "https://10.0.0.1/", "--format", "zip")]
    [InlineData("there is no /nowhere/slipway.yaml: write one", "serve", "-c", "/nowhere/slipway.yaml")]
    [InlineData("/usr is a folder", "doctor", "-c", "/usr")]
    public async Task What_is_wrong_is_told_and_the_status_is_2(string told, params string[] arguments)
    {
        var (status, output) = await Tool.TryRunAsync(Program, arguments);
        Assert.Equal(2, status);
        Assert.Contains(told, output, StringComparison.Ordinal);
        // Pages of help would push it off the screen.
        Assert.True(output.Count(c => c == '\n') <= 4, output);
    }

    [Fact]
    public async Task Help_is_asked_for_as_with_other_programs()
    {
        Assert.Equal(await Tool.RunAsync(Program, "volume", "rm", "--help"), await Tool.RunAsync(Program, "help", "volume", "rm"));
        Assert.Contains("  demo ", await Tool.RunAsync(Program, "help"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_error_is_explained_by_its_code()
    {
        var listed = (await Tool.RunAsync(Program, "explain")).TrimEnd().Split('\n');
        Assert.Equal(Directory.GetFiles(Path.Combine(Repository.Root, "docs", "explain")).Select(Path.GetFileNameWithoutExtension).Order(), listed.Select(l => l.Split(':')[0]));
        Assert.StartsWith("# SLP1003: ", await Tool.RunAsync(Program, "explain", "slp1003"), StringComparison.Ordinal);
        Assert.StartsWith("# SLP1003: ", await Tool.RunAsync(Program, "explain", "1003"), StringComparison.Ordinal);
        var (status, output) = await Tool.TryRunAsync(Program, "explain", "SLP9999");
        Assert.Equal(1, status);
        Assert.Contains("there is no page SLP9999", output, StringComparison.Ordinal);
    }
}
