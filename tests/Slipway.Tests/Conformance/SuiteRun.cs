using System.Text.RegularExpressions;

namespace Slipway.Tests.Conformance;

internal enum Verdict
{
    Passed,
    Skipped,
    Failed,
    TimedOut,
}

/// <summary>One run of <c>iscsi-test-cu</c>: which test, against which disks, and what the suite says of it.</summary>
internal sealed partial record SuiteRun(string Test, Verdict Verdict, string Output)
{
    /// <summary>The names of all tests, each once.</summary>
    public static async Task<IReadOnlyList<string>> ListAsync()
    {
        var list = await Tool.RunAsync("iscsi-test-cu", "--list");
        return [.. list.Split('\n').Select(l => l.Trim()).Where(l => TestName().IsMatch(l))];
    }

    /// <param name="limit">Seconds until it counts as hanging.</param>
    public static async Task<SuiteRun> ExecuteAsync(string test, int limit, params string[] urls)
    {
        var (status, output) = await Tool.TryRunAsync(
            "timeout", ["--kill-after=2", $"{limit}", "iscsi-test-cu", "--dataloss", "--allow-sanitize", $"--test={Pattern(test)}", .. urls]);
        return new(test, Judge(test, status, output), output);
    }

    // LUNResetSimpleAsync asserts right after it asks for the reset that a flag is set which only an answer sets
    // (test_async_lu_reset_simple.c): alone it fails against every target, and after the test before it in its suite it passes.
    private static string Pattern(string test) => test == "ALL.iSCSITMF.LUNResetSimpleAsync" ? "ALL.iSCSITMF" : test;

    private static Verdict Judge(string test, int status, string output)
    {
        if (status >= 124)
            return Verdict.TimedOut;
        // The log of iSCSIDataSnInvalid calls it a failure that a write fails which has to (check_result in iscsi-support.c).
        var hasComplaint = test != "ALL.iSCSIdatasn.iSCSIDataSnInvalid" && output.Contains("[FAILED]", StringComparison.Ordinal);
        if (status != 0 || hasComplaint || !NoneFailed().IsMatch(output))
            return Verdict.Failed;
        // The suite itself counts these as passed.
        return output.Contains("SKIPPED", StringComparison.Ordinal) ? Verdict.Skipped : Verdict.Passed;
    }

    [GeneratedRegex(@"^ALL\.[^.]+\.[^.]+$")]
    private static partial Regex TestName();

    [GeneratedRegex(@"^ +tests +\d+ +[1-9]\d* +[1-9]\d* +0 +0 *$", RegexOptions.Multiline)]
    private static partial Regex NoneFailed();
}
