using Slipway.Disks;
using Slipway.Disks.Mapping;

namespace Slipway.Volumes.Layers;

/// <summary>A disk with the layers that an operator asked for: faults by rule, and a trace that sees them.</summary>
public sealed class LayeredDisk : LayerDevice
{
    private readonly TraceFile? _file;
    private readonly DiskMap? _map;

    private LayeredDisk(IBlockDevice top, TraceFile? file, DiskMap? map) : base(top) => (_file, _map) = (file, map);

    /// <summary>The disk itself where no layer is asked for.</summary>
    /// <param name="trace">A file that is appended to; null for none.</param>
    public static IBlockDevice Create(IBlockDevice disk, IReadOnlyList<FaultRule> faults, string? trace, Random random, TimeProvider time)
    {
        if (faults.Count == 0 && trace is null) return disk;
        var top = faults.Count == 0 ? disk : new FaultLayer(disk, faults, random, time);
        if (trace is null) return top;
        var (file, map) = (new TraceFile(trace), new DiskMap(disk));
        return new LayeredDisk(new TraceLayer(top, file.Add, time, map), file, map);
    }

    protected override async ValueTask DisposeLayerAsync()
    {
        if (_file is not null) await _file.DisposeAsync();
        _map?.Dispose();
    }
}
