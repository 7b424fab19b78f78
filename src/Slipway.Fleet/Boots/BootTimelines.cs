using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Slipway.Fleet.Machines;

namespace Slipway.Fleet.Boots;

/// <summary>
/// The runs of all machines. Servers report evidence with <see cref="Observe"/> and <see cref="Refuse"/>; whoever shows
/// timelines follows them. Thread-safe; evidence about one machine is ordered by arrival. Anybody on the network can make up
/// machines, so of those without a name only the latest are kept.
/// </summary>
/// <param name="limit">How many runs of machines without a name are kept; and how many messages, of all machines together.</param>
public sealed class BootTimelines(TimeProvider clock, int limit = 20_000)
{
    /// <summary>Messages kept of one run: the latest.</summary>
    public const int MaxMessages = 200;

    private static readonly IReadOnlyDictionary<string, string> NoFacts = new Dictionary<string, string>();

    private readonly Lock _gate = new();
    private readonly Dictionary<MacAddress, Boot> _current = [];
    private readonly ConcurrentDictionary<Channel<BootEvent>, byte> _followers = [];
    private readonly Queue<Boot> _ofStrangers = [];
    private readonly MachineMessages _messages = new(MaxMessages, limit);
    private long _serial;

    /// <summary>Called for every event, in order, before followers see it. Must not block.</summary>
    public event Action<BootEvent>? Recorded;

    /// <summary>The latest run of each machine.</summary>
    public IReadOnlyList<Boot> Current
    {
        get
        {
            lock (_gate)
                return [.. _current.Values];
        }
    }

    public Boot? Of(MacAddress mac)
    {
        lock (_gate)
            return _current.GetValueOrDefault(mac);
    }

    /// <summary>The events of a machine's latest run and what it said meanwhile, in their order.</summary>
    public IReadOnlyList<BootEvent> EventsOf(MacAddress mac)
    {
        lock (_gate)
            return _current.TryGetValue(mac, out var boot) ? [.. boot.Events.Concat(_messages.Of(mac)).OrderBy(e => e.Time)] : [];
    }

    /// <summary>Evidence that a machine is at <paramref name="stage"/>.</summary>
    /// <param name="starts">
    /// True where this can only be the beginning of a run (firmware asks for an address). A run that is still before its
    /// disk goes on: firmware and iPXE ask one after the other, and retry.
    /// </param>
    public void Observe(MacAddress mac, string machine, BootStage stage, string text,
        IReadOnlyDictionary<string, string>? facts = null, bool starts = false)
    {
        lock (_gate)
        {
            var boot = RunFor(mac, machine, starts);
            Record(boot, boot.Entered.ContainsKey(stage) ? BootEventKind.Fact : BootEventKind.Entered, stage, text, facts);
        }
    }

    /// <summary>The machine was told to boot what is in it: nothing more is to come of this run.</summary>
    public void Leave(MacAddress mac, string machine, BootStage stage, string text, IReadOnlyDictionary<string, string>? facts = null)
    {
        lock (_gate)
        {
            Observe(mac, machine, stage, text, facts);
            _current[mac] = _current[mac] with { Left = true };
        }
    }

    /// <summary>Something was refused at <paramref name="stage"/>, by the server or by the machine.</summary>
    public void Refuse(MacAddress mac, string machine, BootStage stage, string reason,
        IReadOnlyDictionary<string, string>? facts = null)
    {
        lock (_gate)
        {
            var boot = RunFor(mac, machine, starts: false);
            if (!boot.Entered.ContainsKey(stage))
                boot = Record(boot, BootEventKind.Entered, stage, "was tried", null);
            Record(boot, BootEventKind.Refused, stage, reason, facts);
        }
    }

    /// <summary>The machine waits for a person, up to a time; with null for as long as it takes.</summary>
    public void Wait(MacAddress mac, string machine, BootStage stage, string text, TimeSpan? patience, IReadOnlyDictionary<string, string>? facts = null)
    {
        lock (_gate)
        {
            var boot = RunFor(mac, machine, starts: false);
            boot = Record(boot, boot.Entered.ContainsKey(stage) ? BootEventKind.Waiting : BootEventKind.Entered, stage, text, facts);
            _current[mac] = boot with { WaitsUntil = patience is { } time ? clock.GetUtcNow() + time : DateTimeOffset.MaxValue };
        }
    }

    /// <summary>A machine says something. That moves no stage, and keeps no run from being stalled: a machine can complain for ever.</summary>
    /// <returns>False where the machine has no run: nothing is kept.</returns>
    public bool Hear(MacAddress mac, string text, IReadOnlyDictionary<string, string> facts)
    {
        lock (_gate)
        {
            if (!_current.TryGetValue(mac, out var boot))
                return false;
            var now = clock.GetUtcNow();
            var message = new BootEvent(boot.Id, boot.Machine, mac, now, now - boot.Started, boot.Stage, BootEventKind.Message, text, facts);
            _messages.Add(message);
            Publish(message);
            return true;
        }
    }

    /// <summary>Marks the runs that have stood still for longer than <see cref="StallDiagnosis.Patience"/>.</summary>
    public void MarkStalled()
    {
        lock (_gate)
        {
            var now = clock.GetUtcNow();
            foreach (var boot in _current.Values.Where(b => b.Outcome == BootOutcome.Running && now - (b.WaitsUntil ?? b.LastProgress) >= StallDiagnosis.Patience(b)).ToList())
                Record(boot, BootEventKind.Stalled, boot.Stage, StallDiagnosis.LikelyCause(boot), null);
        }
    }

    /// <summary>
    /// Events from now on, until cancelled; of one machine that is in the middle of a run, what came before in it first. A
    /// follower that falls 10,000 events behind loses the oldest.
    /// </summary>
    /// <param name="only">One machine; all where it is left out.</param>
    public async IAsyncEnumerable<BootEvent> FollowAsync(MacAddress? only = null, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var channel = Channel.CreateBounded<BootEvent>(new BoundedChannelOptions(10_000) { FullMode = BoundedChannelFullMode.DropOldest });
        IReadOnlyList<BootEvent> before = [];
        lock (_gate)
        {
            if (only is { } mac && _current.GetValueOrDefault(mac) is { Outcome: BootOutcome.Running or BootOutcome.Stalled })
                before = EventsOf(mac);
            _followers.TryAdd(channel, 0);
        }
        try
        {
            foreach (var e in before)
                yield return e;
            await foreach (var e in channel.Reader.ReadAllAsync(cancellation).ConfigureAwait(false))
            {
                if (only is null || e.Mac == only)
                    yield return e;
            }
        }
        finally
        {
            _followers.TryRemove(channel, out _);
        }
    }

    private Boot RunFor(MacAddress mac, string machine, bool starts)
    {
        // A machine may get its name while it boots.
        if (_current.TryGetValue(mac, out var boot) && !(starts && IsOver(boot)))
            return boot.Machine == machine ? boot : _current[mac] = boot with { Machine = machine };
        var now = clock.GetUtcNow();
        var id = string.Create(CultureInfo.InvariantCulture, $"{now:yyyyMMdd'T'HHmmss}-{mac.ToHyphenated().Replace("-", "", StringComparison.Ordinal)[6..]}-{++_serial}");
        boot = _current[mac] = new Boot(id, machine, mac, now);
        _messages.Forget(mac);
        if (machine == mac.ToString())
            Bound(boot);
        return boot;
    }

    // A run that another of the same machine has replaced is in the queue still, and nowhere else.
    private void Bound(Boot stranger)
    {
        _ofStrangers.Enqueue(stranger);
        if (_ofStrangers.Count > limit && _ofStrangers.Dequeue() is var oldest && _current.TryGetValue(oldest.Mac, out var boot) && boot.Id == oldest.Id && boot.Machine == oldest.Machine)
        {
            _current.Remove(oldest.Mac);
            _messages.Forget(oldest.Mac);
        }
    }

    // Past its disk a machine that asks for an address again has been reset. Before that, firmware, iPXE and their
    // retries belong to one run, unless it was given up.
    private static bool IsOver(Boot boot) => boot.Stage >= BootStage.SanLogin || boot.Outcome != BootOutcome.Running;

    private Boot Record(Boot boot, BootEventKind kind, BootStage stage, string text, IReadOnlyDictionary<string, string>? facts)
    {
        var now = clock.GetUtcNow();
        var e = new BootEvent(boot.Id, boot.Machine, boot.Mac, now, now - boot.Started, stage, kind, text, facts ?? NoFacts);
        boot = _current[boot.Mac] = boot.With(e);
        Publish(e);
        return boot;
    }

    private void Publish(BootEvent e)
    {
        Recorded?.Invoke(e);
        foreach (var follower in _followers.Keys)
            follower.Writer.TryWrite(e);
    }
}
