using Xunit.Sdk;

namespace Slipway.Tests.Fuzz;

/// <summary>
/// Runs a target of fuzzing a number of times, and looks after what no single execution shows: memory that grows, and
/// executions that do not end.
/// </summary>
/// <remarks>
/// Everything runs in the test's process: millions of executions fit in the run that everybody does, and a failure is a
/// seed and a number. Inputs are changed at random here; <c>CoverageGuidedTests</c> has SharpFuzz's instrumentation choose.
/// </remarks>
internal static class FuzzRun
{
    private const long MaxGrowth = 16 << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <param name="execute">One execution. It gets its number, and throws where it fails.</param>
    public static async Task ExecuteAsync(int executions, Action<int> execute)
    {
        var current = 0;
        long before = 0;
        // After a tenth everything that is kept on purpose, pools and compiled code, is there.
        var warm = executions / 10;
        var run = Task.Run(() =>
        {
            for (; current < executions; current++)
            {
                if (current == warm)
                    before = GC.GetTotalMemory(forceFullCollection: true);
                try
                {
                    execute(current);
                }
                catch (Exception e)
                {
                    throw new XunitException($"execution {current}: {e}");
                }
            }
        });
        try
        {
            await run.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            throw new XunitException($"execution {Volatile.Read(ref current)} of {executions} does not end");
        }
        var growth = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(growth < MaxGrowth, $"{growth} bytes more than after {warm} executions");
    }
}
