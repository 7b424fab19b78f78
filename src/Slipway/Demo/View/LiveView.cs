using System.Globalization;
using Slipway.Fleet.Boots;
using Spectre.Console;

namespace Slipway.Demo.View;

/// <summary>The stages of the boot with their times, and the machine's console under them, drawn in place.</summary>
internal sealed class LiveView(IAnsiConsole terminal) : IDemoView
{
    private const int ConsoleLines = 10;
    private static readonly TimeSpan Frame = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private readonly SortedDictionary<BootStage, (TimeSpan At, BootEvent Latest)> _stages = [];
    private readonly Queue<string> _console = new();

    public void Progress(string text) => terminal.MarkupLineInterpolated($"  [grey]{text}[/]");

    public void Event(BootEvent e)
    {
        // The console below says the same.
        if (e.Kind == BootEventKind.Message)
            return;
        lock (_gate)
        {
            var at = _stages.TryGetValue(e.Stage, out var known) ? known.At : e.Elapsed;
            _stages[e.Stage] = (at, e);
        }
    }

    public void Console(string line)
    {
        lock (_gate)
        {
            _console.Enqueue(Cut(line));
            if (_console.Count > ConsoleLines)
                _console.Dequeue();
        }
    }

    public async Task<T> ShowAsync<T>(string title, Func<Task<T>> work) =>
        await terminal.Live(Picture(title)).AutoClear(true).StartAsync(async live =>
        {
            var running = work();
            using var frames = new PeriodicTimer(Frame);
            while (!running.IsCompleted)
            {
                live.UpdateTarget(Picture(title));
                live.Refresh();
                await Task.WhenAny(running, frames.WaitForNextTickAsync().AsTask());
            }
            return await running;
        });

    private Rows Picture(string title)
    {
        lock (_gate)
        {
            var stages = Enum.GetValues<BootStage>().Select(Row);
            // Always as many lines: a picture that grows and shrinks leaves parts of itself behind.
            var console = _console.Concat(Enumerable.Repeat(" ", ConsoleLines - _console.Count))
                .Select(line => new Text(line, Color.Grey) { Overflow = Overflow.Ellipsis });
            return new Rows([new Rule(title.EscapeMarkup()).LeftJustified(), .. stages, new Rule("console").LeftJustified(), .. console]);
        }
    }

    /// <summary>To one row of the terminal, which knows tabs that this program does not measure.</summary>
    private string Cut(string line)
    {
        line = line.Replace("\t", "    ", StringComparison.Ordinal);
        var width = terminal.Profile.Width - 2;
        return line.Length <= width ? line : line[..(width - 1)] + "…";
    }

    private Markup Row(BootStage stage)
    {
        if (!_stages.TryGetValue(stage, out var seen))
            return new Markup($"[grey]· {stage.Name()}[/]");
        var mark = seen.Latest.Kind is BootEventKind.Refused or BootEventKind.Stalled ? "[red]✗[/]" : "[green]✓[/]";
        var line = string.Create(CultureInfo.InvariantCulture, $" {stage.Name(),-9} {seen.At.TotalSeconds,6:0.0} s  {seen.Latest.Text}");
        return new Markup(mark + Cut(line).EscapeMarkup());
    }
}
