using Slipway.Fleet.Machines;

namespace Slipway.Fleet.Boots;

/// <summary>One thing that happened to a machine on its way up. The same record goes to the log, the CLI and the API.</summary>
/// <param name="BootId">The run it belongs to.</param>
/// <param name="Machine">The machine's name; its MAC address where it is unknown.</param>
/// <param name="Elapsed">Since the run's first event.</param>
/// <param name="Text">One line for a person.</param>
/// <param name="Facts">The same for a program: lease, TLS suite, CHAP algorithm, file … Never a secret.</param>
public sealed record BootEvent(
    string BootId,
    string Machine,
    MacAddress Mac,
    DateTimeOffset Time,
    TimeSpan Elapsed,
    BootStage Stage,
    BootEventKind Kind,
    string Text,
    IReadOnlyDictionary<string, string> Facts);

public enum BootEventKind
{
    /// <summary>The first evidence of a stage.</summary>
    Entered,

    /// <summary>More about a stage that was entered before.</summary>
    Fact,

    /// <summary>The server, or the machine, refused to go on; the text says why.</summary>
    Refused,

    /// <summary>The machine waits for a person, as it was told to: no stall.</summary>
    Waiting,

    /// <summary>What the machine said, by syslog.</summary>
    Message,

    /// <summary>Nothing has come for too long; the text names the likely cause. The run may still go on.</summary>
    Stalled,
}
