using System.Globalization;
using Slipway.Server.Api;

namespace Slipway.Commands.Fleet;

/// <summary>Boots and their events as lines for a person, wherever they are shown.</summary>
internal static class BootLines
{
    /// <summary>Seconds since the boot's first event, the stage, and what happened.</summary>
    public static string Of(BootEventView e) => string.Create(CultureInfo.InvariantCulture,
        $"{e.Elapsed,7:0.00} s  {e.Stage,-9}  {(e.Kind is "refused" or "stalled" ? e.Kind.ToUpperInvariant() + ": " : "")}{e.Text}");

    /// <summary>Where a boot begins among others' events.</summary>
    public static string BeginningOf(BootEventView e) => $"boots at {LocalTime(e.Time - TimeSpan.FromSeconds(e.Elapsed))}";

    /// <summary>A boot's first line: whose, when, and how far it is.</summary>
    public static string HeadOf(BootView boot)
    {
        var state = boot.Outcome == boot.Stage ? boot.Outcome : $"{boot.Outcome} at {boot.Stage}";
        return $"{(boot.Machine == boot.Mac ? boot.Mac : $"{boot.Machine} ({boot.Mac})")}, since {LocalTime(boot.Started)}: {state}";
    }

    public static string LocalTime(DateTimeOffset time) => time.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
}
