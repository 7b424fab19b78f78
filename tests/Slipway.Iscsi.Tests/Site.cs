using System.Net;
using Slipway.Disks;
using Slipway.Iscsi.Chap;
using Slipway.Iscsi.Target;
using Slipway.Scsi;

namespace Slipway.Iscsi.Tests;

/// <summary>A target node with one disk, whom it admits, and what it reported.</summary>
internal sealed class Site : ITargetDirectory, ITargetObserver
{
    public const string Target = "iqn.2026-01.test:disk";
    public const string Initiator = "iqn.2026-01.test:host";
    public static readonly IPEndPoint Portal = new(IPAddress.Parse("10.0.0.1"), 3260);

    private readonly List<TargetEvent> _events = [];

    public Site(TargetLimits? limits = null, IBlockDevice? disk = null, int blockSize = 512)
    {
        Disk = disk ?? new MemoryDisk(1 << 20);
        Device = new TargetDevice(Target);
        Device.Attach(0, new DiskUnit(Disk, new UnitIdentity("volume"), blockSize));
        Node = new TargetNode(this, this, Clock, limits, Guessable);
    }

    public IBlockDevice Disk { get; }

    public TargetDevice Device { get; }

    public TargetNode Node { get; }

    public TestClock Clock { get; } = new();

    public ChapPolicy? Chap { get; init; }

    /// <summary>Takes the place of the answer that admits everybody to the one target.</summary>
    public Func<LoginFacts, Admission?> Decide { get; init; } = _ => null;

    public IReadOnlyList<TargetRecord> Targets { get; init; } = [new(Target, [])];

    public Func<IPEndPoint, ushort> PortalGroup { get; init; } = _ => 1;

    public IReadOnlyList<TargetEvent> Events
    {
        get
        {
            lock (_events)
                return [.. _events];
        }
    }

    public ScriptedInitiator Connect() => new(this);

    /// <summary>A connection that is in the full feature phase of a normal session.</summary>
    public ScriptedInitiator LogIn(string keys = "", ulong isid = ScriptedInitiator.DefaultIsid) =>
        Connect().WithIsid(isid).LogsIn(keys);

    public byte[] Read(int offset, int length)
    {
        var bytes = new byte[length];
        Disk.ReadAsync(offset, bytes).AsTask().GetAwaiter().GetResult();
        return bytes;
    }

    public T Single<T>() where T : TargetEvent => Assert.Single(Events.OfType<T>());

    Admission ITargetDirectory.Admit(LoginFacts facts) =>
        Decide(facts) ?? Admission.Grant(facts.SessionType == SessionType.Normal ? Device : null, Chap);

    IReadOnlyList<TargetRecord> ITargetDirectory.Discover(LoginFacts facts) => Targets;

    ushort ITargetDirectory.PortalGroupOf(IPEndPoint portal) => PortalGroup(portal);

    void ITargetObserver.Observe(TargetEvent e)
    {
        lock (_events)
            _events.Add(e);
    }

    /// <summary>CHAP identifier 42, challenges 1, 2, 3, …: so that responses are known beforehand.</summary>
    private static void Guessable(Span<byte> destination)
    {
        for (var i = 0; i < destination.Length; i++)
            destination[i] = destination.Length == 1 ? (byte)42 : (byte)(i + 1);
    }
}

internal sealed class TestClock : TimeProvider
{
    public DateTimeOffset Now { get; set; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => Now;
}
