using Slipway.Fleet.Boots;

namespace Slipway.Server.Api;

/// <summary>One run of a machine as the API tells it.</summary>
/// <param name="Problem">The latest refusal, or why it stands still; null where all is well.</param>
/// <param name="Events">Null in lists.</param>
internal sealed record BootView(
    string Id, string Machine, string Mac, DateTimeOffset Started, string Stage, string Outcome, DateTimeOffset LastProgress,
    string? Problem, IReadOnlyList<BootEventView>? Events)
{
    /// <summary>What <c>slipway explain</c> has a page for, of the problem; null where it has none.</summary>
    public string? Code => ErrorCode.In(Problem);

    public static BootView Of(Fleet.Boots.Boot boot, IReadOnlyList<BootEvent>? events = null) => new(
        boot.Id, boot.Machine, boot.Mac.ToString(), boot.Started, NameOf(boot.Stage), NameOf(boot.Outcome), boot.LastProgress,
        boot.Outcome == BootOutcome.Stalled ? StallDiagnosis.LikelyCause(boot) : boot.Refusal?.Text,
        events is null ? null : [.. events.Select(BootEventView.Of)]);

    public static string NameOf(BootStage stage) => stage.Name();

    public static string NameOf(BootOutcome outcome) => outcome.ToString().ToLowerInvariant();
}

/// <param name="Elapsed">Seconds since the run's first event.</param>
/// <param name="Kind"><c>entered</c>, <c>fact</c>, <c>refused</c>, <c>waiting</c>, <c>message</c> or <c>stalled</c>.</param>
internal sealed record BootEventView(
    string Boot, string Machine, string Mac, DateTimeOffset Time, double Elapsed, string Stage, string Kind, string Text, IReadOnlyDictionary<string, string> Facts)
{
    /// <summary>The same, of the text.</summary>
    public string? Code => ErrorCode.In(Text);

    public static BootEventView Of(BootEvent e) =>
        new(e.BootId, e.Machine, e.Mac.ToString(), e.Time, e.Elapsed.TotalSeconds, e.Stage.Name(), e.Kind.ToString().ToLowerInvariant(), e.Text, e.Facts);
}
