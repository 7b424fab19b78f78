using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Slipway.Disks;
using Slipway.Iscsi.Target;
using Slipway.Scsi;
using Slipway.Server.Iscsi;
using Slipway.Volumes.Raw;

namespace Slipway.Server.Tests.Iscsi;

/// <summary>A target with one disk, served by the transport under test.</summary>
internal sealed class TransportSite : ITargetDirectory, ITargetObserver, IAsyncDisposable
{
    public const int DiskSize = 16 << 20;
    private readonly TemporaryFolder _folder = new();
    private readonly TargetDevice _device = new(Initiator.Target);
    private readonly IBlockDevice _disk;

    public TransportSite(ITransport transport, Func<IBlockDevice, IBlockDevice>? layer = null, TimeProvider? time = null, ILogger? logger = null)
    {
        var path = Path.Combine(_folder.Path, "disk.raw");
        Content = new byte[DiskSize];
        new Random(1).NextBytes(Content);
        File.WriteAllBytes(path, Content);
        _disk = layer is null ? RawFile.Open(path) : layer(RawFile.Open(path));
        _device.Attach(0, new DiskUnit(_disk, new UnitIdentity("transport")));
        Listener = new IscsiListener([new(IPAddress.Loopback, 0)], this, this, time ?? TimeProvider.System, logger ?? NullLogger.Instance, transport);
        Listener.Start();
    }

    public IscsiListener Listener { get; }

    /// <summary>What the disk held at the start.</summary>
    public byte[] Content { get; }

    public EventLog<TargetEvent> Events { get; } = new();

    public IPEndPoint Portal => Listener.Endpoints[0];

    public Initiator LogIn(string name = "iqn.2026-11.test:a", int receiveBuffer = 0) => new Initiator(Portal, receiveBuffer).LogIn(name);

    public Task EndSessionsAsync(string reason) => Listener.EndSessionsAsync(_device, reason);

    public Admission Admit(LoginFacts facts) => Admission.Grant(_device, null);

    public IReadOnlyList<TargetRecord> Discover(LoginFacts facts) => [new(Initiator.Target, [])];

    public void Observe(TargetEvent e) => Events.Add(e);

    public async ValueTask DisposeAsync()
    {
        await Listener.DisposeAsync();
        await _disk.DisposeAsync();
        _folder.Dispose();
    }
}
