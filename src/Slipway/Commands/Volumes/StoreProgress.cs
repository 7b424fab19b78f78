using Slipway.Volumes.Import;
using Spectre.Console;

namespace Slipway.Commands.Volumes;

/// <summary>Bars with rate and time left for work on whole disks, on the error stream; where nobody watches only why it does not come on.</summary>
internal static class StoreProgress
{
    private static readonly TimeSpan Redraw = TimeSpan.FromMilliseconds(100);

    public static async Task<T> ShowAsync<T>(Func<IProgress<ImportProgress>?, Task<T>> work)
    {
        if (Console.IsErrorRedirected) return await work(new Notes());
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return await console.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .StartAsync(context => work(new Bars(console, context)));
    }

    private sealed class Notes : IProgress<ImportProgress>
    {
        public void Report(ImportProgress value)
        {
            if (value.Note is { } note) Console.Error.WriteLine(note);
        }
    }

    /// <summary>One bar for each step, as it begins.</summary>
    private sealed class Bars(IAnsiConsole console, ProgressContext context) : IProgress<ImportProgress>
    {
        private readonly Dictionary<string, ProgressTask> _tasks = [];
        private readonly Lock _lock = new();
        private DateTime _next;

        public void Report(ImportProgress value)
        {
            lock (_lock)
            {
                if (value.Note is { } note)
                {
                    console.WriteLine(note);
                    return;
                }
                var (now, isEnd) = (DateTime.UtcNow, value.At >= value.Total);
                if (now < _next && !isEnd && _tasks.ContainsKey(value.Step)) return;
                _next = now + Redraw;
                if (!_tasks.TryGetValue(value.Step, out var task)) _tasks.Add(value.Step, task = context.AddTask(value.Step));
                task.IsIndeterminate = value.Total == 0;
                task.MaxValue = Math.Max(1, value.Total);
                task.Value = value.At;
            }
        }
    }
}
