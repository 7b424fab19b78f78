using Slipway.Commands.Fleet;
using Slipway.Fleet.Boots;
using Slipway.Server.Api;

namespace Slipway.Demo.View;

/// <summary>A line for each thing, as a log or a pipe wants it.</summary>
internal sealed class PlainView(TextWriter output) : IDemoView
{
    private readonly TextWriter _output = TextWriter.Synchronized(output);

    public void Progress(string text) => _output.WriteLine($"  {text}");

    public void Event(BootEvent e) => _output.WriteLine(BootLines.Of(BootEventView.Of(e)));

    public void Console(string line)
    {
        // The console's log has them; here they would hide the timeline.
    }

    public async Task<T> ShowAsync<T>(string title, Func<Task<T>> work)
    {
        _output.WriteLine(title);
        return await work();
    }
}
