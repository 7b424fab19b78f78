using System.ComponentModel;
using System.Diagnostics;

namespace Slipway.Tests;

/// <summary>Runs a program that tests compare with. One that is not installed fails the test, and says which package has it.</summary>
internal static class Tool
{
    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        var (status, output) = await TryRunAsync(program, arguments);
        Assert.True(status == 0, $"{program} {string.Join(' ', arguments)} ended with {status}:\n{output}");
        return output;
    }

    public static async Task<(int Status, string Output)> TryRunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(Find(program), arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment["LC_ALL"] = "C";
        start.Environment["MTOOLS_SKIP_CHECK"] = "1";
        using var process = Start(program, start);
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output + await error);
    }

    private static Process Start(string program, ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException($"{program} is needed by this test: install {PackageOf(program)}", e);
        }
    }

    // Debian keeps disk tools in folders that a user's PATH leaves out.
    private static string Find(string program) =>
        new[] { "/usr/sbin", "/sbin" }.Select(f => Path.Combine(f, program)).FirstOrDefault(File.Exists) ?? program;

    private static string PackageOf(string program) => program switch
    {
        "sfdisk" => "fdisk",
        "sgdisk" => "gdisk",
        "mkfs.vfat" or "fsck.vfat" => "dosfstools",
        "mcopy" or "mdir" or "mmd" or "mtype" => "mtools",
        "mke2fs" or "debugfs" => "e2fsprogs",
        "mkfs.xfs" or "xfs_db" or "xfs_io" => "xfsprogs",
        "qemu-img" or "qemu-io" => "qemu-utils",
        _ => $"the package of {program}",
    };
}

/// <summary>A folder that is gone after the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("slipway-test-");

    public string this[string name] => Path.Combine(_folder.FullName, name);

    public void Dispose() => _folder.Delete(recursive: true);
}
