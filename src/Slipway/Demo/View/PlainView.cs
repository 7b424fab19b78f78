using System.Globalization;
using Slipway.Fleet.Boots;

namespace Slipway.Demo.View;

/// <summary>A line for each thing, as a log or a pipe wants it.</summary>
internal sealed class PlainView(TextWriter output) : IDemoView
{
    private readonly TextWriter _output = TextWriter.Synchronized(output);

    public void Progress(string text) => _output.WriteLine($"  {text}");

    public void Event(BootEvent e) => _output.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{e.Elapsed.TotalSeconds,7:0.00} s  {e.Stage.Name(),-9}  {Kind(e.Kind)}{e.Text}"));

    public void Console(string line)
    {
        // The console's log has them; here they would hide the timeline.
    }

    public async Task<T> ShowAsync<T>(string title, Func<Task<T>> work)
    {
        _output.WriteLine(title);
        return await work();
    }

    private static string Kind(BootEventKind kind) => kind switch
    {
        BootEventKind.Refused => "REFUSED: ",
        BootEventKind.Stalled => "STALLED: ",
        _ => "",
    };
}
