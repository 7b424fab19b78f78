using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Slipway.Bench.Peers;
using Slipway.Disks;
using Slipway.Iscsi.Target;
using Slipway.Scsi;
using Slipway.Server.Iscsi;
using Slipway.Volumes;
using Slipway.Volumes.Layers;

namespace Slipway.Bench.Iscsi;

/// <summary>
/// Bytes that all threads of a target allocate per command in steady state: the target in this process, whose counter can
/// be read, and the client outside.
/// </summary>
internal sealed class AllocationCount(Bench bench, Loads loads)
{
    private const int Commands = 120_000;

    public double Reads() => Count(target => loads.Reads(target, Placement.Free, 1, 32, 8, random: true, digests: false)).Result;

    public double Writes() => Count(target => Loads.QemuWrite(target.Url, Placement.Free, Commands)).Result;

    private async Task<double> Count(Func<Address, double> load)
    {
        var target = new Address(14302, "iqn.2026-11.bench:counted", 0);
        await using var disk = new CountingLayer(await Volume.OpenAsync(bench.Disk("slipway.img")));
        var device = new TargetDevice(target.Target);
        device.Attach(0, new DiskUnit(disk, new UnitIdentity("counted")));
        var directory = new OpenDirectory(device);
        await using var listener = new IscsiListener([new(IPAddress.Loopback, target.Port)], directory, directory, TimeProvider.System, NullLogger.Instance);
        listener.Start();
        load(target);
        return Math.Round(disk.BytesPerCommand, 2);
    }

    private sealed class OpenDirectory(ScsiTargetDevice device) : ITargetDirectory, ITargetObserver
    {
        public Admission Admit(LoginFacts facts) => Admission.Grant(device, chap: null);

        public IReadOnlyList<TargetRecord> Discover(LoginFacts facts) => [];

        public void Observe(TargetEvent e)
        {
        }
    }

    /// <summary>Reads the counter twice, when everything is warm and later, within one connection.</summary>
    private sealed class CountingLayer(IBlockDevice below) : LayerDevice(below)
    {
        private const int First = Commands / 2, Last = Commands - 5_000;
        private int _count;
        private long _first, _last;

        public double BytesPerCommand => _count >= Last
            ? (_last - _first) / (double)(Last - First)
            : throw new InvalidOperationException($"only {_count} commands came, and {Last} are needed");

        public override ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellation = default)
        {
            Note();
            return base.ReadAsync(offset, destination, cancellation);
        }

        public override ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default)
        {
            Note();
            return base.WriteAsync(offset, source, cancellation);
        }

        private void Note()
        {
            // Called on one loop's thread.
            _count++;
            if (_count == First)
                _first = GC.GetTotalAllocatedBytes(precise: true);
            else if (_count == Last)
                _last = GC.GetTotalAllocatedBytes(precise: true);
        }
    }
}
