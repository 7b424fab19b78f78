using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using SharpFuzz;
using SharpFuzz.Common;
using Slipway.Tests.Fuzz;

namespace Slipway.Iscsi.Tests.Fuzz;

/// <summary>
/// The targets of the other fuzz tests again, guided by coverage: an input that takes a branch which none took before is
/// kept, and changed further. SharpFuzz writes the counting of branches into copies of the assemblies, which are loaded
/// beside the ones that the rest of the tests use; the loop around it is ours, so nothing but the package is needed.
/// </summary>
[Collection("Fuzz")]
public sealed class CoverageGuidedTests : IDisposable
{
    private const int MapSize = 1 << 16;    // the size that AFL, and so SharpFuzz, counts in
    private const int LongestInput = 512;

    private static readonly string[] Instrumented = ["Slipway.Iscsi.dll", "Slipway.Scsi.dll"];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("slipway-fuzz-");
    private readonly nint _counts = Marshal.AllocHGlobal(MapSize);

    public void Dispose()
    {
        CountAt(0);
        Marshal.FreeHGlobal(_counts);
        _folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData(nameof(PduFuzzTests), 200_000)]
    [InlineData(nameof(TextFuzzTests), 200_000)]
    [InlineData(nameof(LoginFuzzTests), 100_000)]
    [InlineData(nameof(CommandFuzzTests), 100_000)]
    public async Task What_takes_a_new_branch_is_changed_further(string target, int executions)
    {
        var type = LoadInstrumented().GetType($"{typeof(CoverageGuidedTests).Namespace}.{target}", throwOnError: true)!;
        CountAt(_counts);
        var corpus = new List<byte[]>((byte[][])type.GetMethod("Corpus")!.Invoke(null, null)!);
        var execute = (Action<byte[], int>)type.GetMethod("Target")!.Invoke(null, null)!;
        var (seeds, mutator, input, seen) = (corpus.Count, new Mutator(7), new byte[LongestInput], new byte[MapSize]);
        await FuzzRun.ExecuteAsync(executions, _ =>
        {
            Counts.Clear();
            Trace.PrevLocation = 0;
            var length = mutator.Mutate(corpus[mutator.Next(corpus.Count)], corpus[mutator.Next(corpus.Count)], input);
            execute(input, length);
            if (TakesNewBranch(Counts, seen))
                corpus.Add(input[..length]);
        });
        TestContext.Current.TestOutputHelper?.WriteLine($"{corpus.Count - seeds} of {executions} inputs took a new branch");
        Assert.True(corpus.Count > seeds, "no input took a branch that the first ones had not taken: is the copy instrumented?");
    }

    private unsafe Span<byte> Counts => new((void*)_counts, MapSize);

    /// <summary>Instrumented code counts there, from its first call on.</summary>
    private static unsafe void CountAt(nint place) => Trace.SharedMem = (byte*)place;

    /// <summary>How often a branch is taken counts by powers of two, as with AFL: a loop that runs once more is nothing new.</summary>
    private static bool TakesNewBranch(ReadOnlySpan<byte> counts, byte[] seen)
    {
        var isNew = false;
        for (var at = counts.IndexOfAnyExcept((byte)0); at >= 0 && at < MapSize;)
        {
            var magnitude = (byte)(1 << byte.Log2(counts[at]));
            isNew |= (seen[at] & magnitude) == 0;
            seen[at] |= magnitude;
            var next = counts[(at + 1)..].IndexOfAnyExcept((byte)0);
            at = next < 0 ? MapSize : at + 1 + next;
        }
        return isNew;
    }

    private Assembly LoadInstrumented()
    {
        var tests = Path.GetFileName(typeof(CoverageGuidedTests).Assembly.Location);
        foreach (var file in (string[])[.. Instrumented, tests])
            File.Copy(Path.Combine(AppContext.BaseDirectory, file), Path.Combine(_folder.FullName, file));
        foreach (var file in Instrumented)
            _ = Fuzzer.Instrument(Path.Combine(_folder.FullName, file), _ => true, Options.Value).Count();
        return new Copies(_folder.FullName).LoadFromAssemblyPath(Path.Combine(_folder.FullName, tests));
    }

    /// <summary>What is not copied is shared with the rest of the tests.</summary>
    private sealed class Copies(string folder) : AssemblyLoadContext("fuzz")
    {
        protected override Assembly? Load(AssemblyName assemblyName) =>
            Path.Combine(folder, assemblyName.Name + ".dll") is var path && File.Exists(path) ? LoadFromAssemblyPath(path) : null;
    }
}
