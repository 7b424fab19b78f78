using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging;
using Slipway.Fleet.Boots;
using Slipway.Fleet.Machines;
using Slipway.Server.Machines;
using Slipway.Server.Syslog;

namespace Slipway.Server.Timeline;

/// <summary>
/// What machines say by syslog. Anybody can send it, as much as they like: who is no machine is counted and nothing else, and
/// a machine that says too much is heard in part. Thread-safe.
/// </summary>
internal sealed partial class SyslogEvidence(BootTimelines timelines, MachineDirectory machines, TimeProvider clock, ILogger logger)
{
    /// <summary>Messages that a machine may send at once: a kernel's whole log.</summary>
    public const int Burst = 1000;

    /// <summary>After that, in each second.</summary>
    public const int Rate = 20;

    // Of machines that said something of late; beyond it everybody's count begins anew.
    private const int MostSpeakers = 20_000;

    private static readonly TimeSpan TellStrangers = TimeSpan.FromMinutes(1);
    private static readonly string[] Severities = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

    private readonly Lock _gate = new();
    private readonly Dictionary<MacAddress, Allowance> _speakers = [];
    private long _fromStrangers;
    private DateTimeOffset _strangersTold = DateTimeOffset.MinValue;

    /// <param name="from">Where the datagram came from.</param>
    public void Observe(IPAddress from, ReadOnlyMemory<byte> datagram)
    {
        if (machines.At(from) is not { } mac || (timelines.Of(mac) is null && machines.Find(mac) is null))
        {
            CountStranger(from);
            return;
        }
        if (!IsAllowed(mac, out var unheard))
            return;
        if (unheard > 0)
            Say(mac, $"says more than is kept: {unheard} messages were left out", new() { ["leftOut"] = unheard.ToString(CultureInfo.InvariantCulture) });
        if (SyslogMessage.Parse(datagram.Span) is not { } message)
            return;
        var facts = new Dictionary<string, string>
        {
            ["severity"] = Severities[(int)message.Severity],
            ["facility"] = message.Facility.ToString(CultureInfo.InvariantCulture),
        };
        if (message.App is not null)
            facts["app"] = message.App;
        var grave = message.Severity <= SyslogSeverity.Error ? $" ({Severities[(int)message.Severity]})" : "";
        Say(mac, $"says{grave}: {(message.App is null ? "" : message.App + ": ")}{message.Text}", facts);
    }

    // A machine that was up before this server started has no run to put it in.
    private void Say(MacAddress mac, string text, Dictionary<string, string> facts)
    {
        if (!timelines.Hear(mac, text, facts))
            LogWithoutRun(machines.NameOf(mac), text);
    }

    private bool IsAllowed(MacAddress mac, out long unheard)
    {
        lock (_gate)
        {
            var now = clock.GetUtcNow();
            if (!_speakers.TryGetValue(mac, out var speaker))
            {
                if (_speakers.Count >= MostSpeakers)
                    _speakers.Clear();
                speaker = _speakers[mac] = new Allowance(Burst, now);
            }
            speaker.Left = Math.Min(Burst, speaker.Left + ((now - speaker.At).TotalSeconds * Rate));
            speaker.At = now;
            unheard = 0;
            if (speaker.Left < 1)
            {
                speaker.Unheard++;
                return false;
            }
            speaker.Left--;
            (unheard, speaker.Unheard) = (speaker.Unheard, 0);
            return true;
        }
    }

    private void CountStranger(IPAddress from)
    {
        long count;
        lock (_gate)
        {
            _fromStrangers++;
            var now = clock.GetUtcNow();
            if (now - _strangersTold < TellStrangers)
                return;
            _strangersTold = now;
            (count, _fromStrangers) = (_fromStrangers, 0);
        }
        LogStrangers(count, from);
    }

    private sealed class Allowance(double left, DateTimeOffset at)
    {
        public double Left { get; set; } = left;

        public DateTimeOffset At { get; set; } = at;

        public long Unheard { get; set; }
    }

    [LoggerMessage(2302, LogLevel.Information, "syslog: {Machine} {Text}")]
    private partial void LogWithoutRun(string machine, string text);

    [LoggerMessage(2303, LogLevel.Information, "syslog: {Count} messages from addresses that are no machine's, the last from {Address}; not kept")]
    private partial void LogStrangers(long count, IPAddress address);
}
