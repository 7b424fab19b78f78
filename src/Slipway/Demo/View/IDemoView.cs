using Slipway.Fleet.Boots;

namespace Slipway.Demo.View;

/// <summary>Shows a run as it happens. Its methods may be called from several threads at a time.</summary>
internal interface IDemoView
{
    /// <summary>What the demo does before the machine starts.</summary>
    void Progress(string text);

    void Event(BootEvent e);

    /// <summary>A line of the machine's console.</summary>
    void Console(string line);

    /// <summary>Runs <paramref name="work"/> with the view on the screen.</summary>
    Task<T> ShowAsync<T>(string title, Func<Task<T>> work);
}
