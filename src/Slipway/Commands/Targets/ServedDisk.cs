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
    private const int CdRomBlock = 2048;

    private readonly IBlockDevice _device;

    private ServedDisk(byte lun, string path, IBlockDevice device, BlockUnit unit) => (Lun, Path, _device, Unit) = (lun, path, device, unit);

    public byte Lun { get; }

    public string Path { get; }

    public BlockUnit Unit { get; }

    /// <param name="state">The folder with the volumes, for a name that no file has.</param>
    /// <exception cref="IOException">Missing, in use, or damaged.</exception>
    public static async Task<ServedDisk> OpenAsync(
        DiskArgument disk, string state, IReadOnlyList<FaultRule> faults, string? trace, CancellationToken cancellation)
    {
        var volume = await OpenAsync(disk, state, cancellation);
        var live = volume as LiveVolume;
        // Disposes of what is below it.
        var device = LayeredDisk.Create(volume, faults, trace, Random.Shared, TimeProvider.System);
        var path = live?.Path ?? System.IO.Path.GetFullPath(disk.File);
        var (lun, blockSize) = (disk.Lun!.Value, disk.CdRom ? CdRomBlock : disk.BlockSize ?? 512);
        if (volume.Length < blockSize)
        {
            await device.DisposeAsync();
            throw new IOException($"{disk.File} has {volume.Length} bytes, which is no whole block of {blockSize}");
        }
        var atomicWrites = await FileAtomicWriteStore.RecoverAsync(volume, path, cancellation);
        // The file's place names the unit: it keeps its identity when the target is started again.
        if (disk.CdRom)
            return new(lun, path, device, new CdRomUnit(device, new UnitIdentity(path, "CD-ROM")));
        var unit = new DiskUnit(device, new UnitIdentity(path), blockSize, FileReservationStore.Beside(path), atomicWrites, disk.Removable);
        if (live is not null)
            live.LengthChanged += unit.ReportCapacityChange;
        return new(lun, path, device, unit);
    }

    public DiskDescription Describe(string target, IEnumerable<IPEndPoint> portals) => new(
        Lun, Path, Unit.Device.Length, Unit.BlockSize, Unit is not DiskUnit { WriteProtected: false }, [.. portals.Select(p => $"iscsi://{p}/{target}/{Lun}")]);

    public ValueTask DisposeAsync() => _device.DisposeAsync();

    private static async Task<IBlockDevice> OpenAsync(DiskArgument disk, string state, CancellationToken cancellation)
    {
        if (File.Exists(disk.File))
            return await Volume.OpenAsync(disk.File, disk.ReadOnly, cancellation);
        var isPath = disk.File.AsSpan().ContainsAny('/', ',');
        // A volume may have the name of a folder that happens to be here.
        var missing = Directory.Exists(disk.File) ? $"{disk.File} is a folder: name the file in it"
            : isPath ? $"there is no file {disk.File}{DiskArgument.Hint(disk.File)}"
            : $"there is no file {disk.File} here, and no volume of that name in {state} (slipway volume list; --state)";
        // Opening a store makes it.
        if (isPath || !VolumeStore.Exists(state))
            throw new FileNotFoundException(missing);
        var store = new VolumeStore(state);
        try
        {
            return disk.ReadOnly ? await store.OpenToCopyAsync(disk.File, cancellation) : await store.ServeAsync(disk.File, cancellation);
        }
        catch (VolumeStoreException e) when (!disk.File.Contains('@', StringComparison.Ordinal) && !store.Contains(disk.File))
        {
            throw new FileNotFoundException(missing, e);
        }
    }
}
