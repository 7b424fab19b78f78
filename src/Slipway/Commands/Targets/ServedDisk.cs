using System.Net;
using Slipway.Disks;
using Slipway.Scsi;
using Slipway.Server.Disks;
using Slipway.Volumes;
using Slipway.Volumes.Layers;
using Slipway.Volumes.Store;

namespace Slipway.Commands.Targets;

/// <summary>A file or volume, open, as the logical unit that initiators see.</summary>
internal sealed class ServedDisk : IAsyncDisposable
{
    private readonly IBlockDevice _device;

    private ServedDisk(byte lun, string path, IBlockDevice device, BlockUnit unit) => (Lun, Path, _device, Unit) = (lun, path, device, unit);

    public byte Lun { get; }

    public string Path { get; }

    public BlockUnit Unit { get; }

    /// <param name="state">The folder with the volumes, for a name that no file has.</param>
    /// <exception cref="IOException">Missing, in use, or damaged.</exception>
    public static async Task<ServedDisk> OpenAsync(
        DiskArgument disk, byte lun, string state, IReadOnlyList<FaultRule> faults, string? trace, CancellationToken cancellation)
    {
        var volume = await OpenAsync(disk, state, cancellation);
        var live = volume as LiveVolume;
        // Disposes of what is below it.
        var device = LayeredDisk.Create(volume, faults, trace, Random.Shared, TimeProvider.System);
        var path = live?.Path ?? System.IO.Path.GetFullPath(disk.File);
        var atomicWrites = await FileAtomicWriteStore.RecoverAsync(volume, path, cancellation);
        // The file's place names the unit: it keeps its identity when the target is started again.
        if (disk.CdRom)
            return new(lun, path, device, new CdRomUnit(device, new UnitIdentity(path, "CD-ROM")));
        var unit = new DiskUnit(device, new UnitIdentity(path), disk.BlockSize ?? 512, FileReservationStore.Beside(path), atomicWrites, disk.Removable);
        if (live is not null)
            live.LengthChanged += unit.ReportCapacityChange;
        return new(lun, path, device, unit);
    }

    public DiskDescription Describe(string target, IEnumerable<IPEndPoint> portals) => new(
        Lun, Path, Unit.Device.Length, Unit.BlockSize, Unit is not DiskUnit { WriteProtected: false }, [.. portals.Select(p => $"iscsi://{p}/{target}/{Lun}")]);

    public ValueTask DisposeAsync() => _device.DisposeAsync();

    private static async Task<IBlockDevice> OpenAsync(DiskArgument disk, string state, CancellationToken cancellation)
    {
        if (File.Exists(disk.File) || disk.File.Contains('/', StringComparison.Ordinal))
        {
            return System.IO.Path.Exists(disk.File)
                ? await Volume.OpenAsync(disk.File, disk.ReadOnly, cancellation)
                : throw new FileNotFoundException($"there is no file {disk.File}{(disk.File.Contains(',', StringComparison.Ordinal) ? $": behind a comma stands one of {DiskArgument.Options}" : "")}");
        }
        var store = new VolumeStore(state);
        return disk.ReadOnly ? await store.OpenToCopyAsync(disk.File, cancellation) : await store.ServeAsync(disk.File, cancellation);
    }
}
