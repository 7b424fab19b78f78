using System.Collections.Immutable;
using Slipway.Fleet.Machines;

namespace Slipway.Fleet.Boots;

/// <summary>One run of a machine through the stages. A snapshot: <see cref="BootTimelines"/> replaces it as events come.</summary>
public sealed record Boot(string Id, string Machine, MacAddress Mac, DateTimeOffset Started)
{
    /// <summary>Events kept of one run; later ones still move the stages.</summary>
    public const int MaxEvents = 500;

    public ImmutableList<BootEvent> Events { get; init; } = [];

    /// <summary>When each stage was entered. A stage that the chain skips (tftp) is absent.</summary>
    public ImmutableSortedDictionary<BootStage, DateTimeOffset> Entered { get; init; } =
        ImmutableSortedDictionary<BootStage, DateTimeOffset>.Empty;

    /// <summary>When something last moved the run forward; a stall is measured from here.</summary>
    public DateTimeOffset LastProgress { get; init; } = Started;

    /// <summary>The latest refusal since a stage was last entered.</summary>
    public BootEvent? Refusal { get; init; }

    public bool Stalled { get; init; }

    /// <summary>Until when a machine that waits for a person does; null where it does not.</summary>
    public DateTimeOffset? WaitsUntil { get; init; }

    /// <summary>Whether the machine was told to boot what is in it.</summary>
    public bool Left { get; init; }

    /// <summary>The furthest stage entered.</summary>
    public BootStage Stage => Entered.IsEmpty ? BootStage.Dhcp : Entered.Keys.Last();

    public BootOutcome Outcome =>
        Entered.ContainsKey(BootStage.Up) ? BootOutcome.Up : Left ? BootOutcome.Local : Stalled ? BootOutcome.Stalled : BootOutcome.Running;

    internal Boot With(BootEvent e)
    {
        var next = this with
        {
            Events = Events.Count < MaxEvents ? Events.Add(e) : Events,
            // Who waited stands still from here on, not from before.
            LastProgress = WaitsUntil is null ? LastProgress : e.Time,
            WaitsUntil = null,
        };
        return e.Kind switch
        {
            BootEventKind.Entered => next with { Entered = Entered.Add(e.Stage, e.Time), LastProgress = e.Time, Refusal = null, Stalled = false, Left = false },
            BootEventKind.Waiting => next with { LastProgress = e.Time, Refusal = null, Stalled = false },
            BootEventKind.Refused => next with { Refusal = e },
            BootEventKind.Stalled => next with { Stalled = true },
            _ => next,
        };
    }
}

public enum BootOutcome
{
    Running,
    Stalled,
    Up,

    /// <summary>It went on to what is in the machine, where nobody sees it.</summary>
    Local,
}
