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
            _console.Enqueue(line);
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
            var table = new Table().Border(TableBorder.None).HideHeaders().AddColumns("", "", "", "");
            foreach (var stage in Enum.GetValues<BootStage>())
            {
                if (_stages.TryGetValue(stage, out var seen))
                    table.AddRow(Mark(seen.Latest.Kind), new Text(stage.Name()), Time(seen.At), new Text(seen.Latest.Text) { Overflow = Overflow.Ellipsis });
                else
                    table.AddRow(new Text("·", Color.Grey), new Text(stage.Name(), Color.Grey), Text.Empty, Text.Empty);
            }
            var console = _console.Select(line => new Text(line, Color.Grey) { Overflow = Overflow.Ellipsis });
            return new Rows([new Rule(title.EscapeMarkup()).LeftJustified(), table, new Rule("console").LeftJustified(), .. console]);
        }
    }

    private static Text Mark(BootEventKind kind) => kind switch
    {
        BootEventKind.Refused or BootEventKind.Stalled => new Text("✗", Color.Red),
        _ => new Text("✓", Color.Green),
    };

    private static Text Time(TimeSpan at) => new Text(at.TotalSeconds.ToString("0.0 's'", CultureInfo.InvariantCulture)).RightJustified();
}
