using System.Globalization;
using Slipway.Disks;
using Slipway.Volumes.Qcow2;

namespace Slipway.Volumes.Store;

/// <summary>
/// A volume that is served. Its files can change under the initiator's feet: for a snapshot, for more room, for a boot
/// that begins anew. I/O that has begun ends first, the rest waits; that takes milliseconds.
/// </summary>
public sealed class LiveVolume : IBlockDevice
{
    private readonly ClosedVolume _files;
    private readonly VolumeFolder _folder;
    private readonly ImageStore _images;
    private readonly SemaphoreSlim _changing = new(1, 1);
    private VolumeControl? _control;
    private volatile Qcow2Device? _disk;
    private volatile Pause? _pause;
    private int _inFlight;

    private LiveVolume(ClosedVolume files, VolumeFolder folder, ImageStore images) => (_files, _folder, _images) = (files, folder, images);

    /// <summary>Told after the disk has another length.</summary>
    public event Action? LengthChanged;

    public string Name => _files.Name;

    public string Path => _files.Disk;

    public long Length { get; private set; }

    public bool IsReadOnly => false;

    /// <summary>Takes the files over.</summary>
    internal static async ValueTask<LiveVolume> OpenAsync(ClosedVolume files, VolumeFolder folder, ImageStore images, CancellationToken cancellation)
    {
        var volume = new LiveVolume(files, folder, images);
        try
        {
            volume._disk = await files.OpenAsync(cancellation);
            volume.Length = volume._disk.Length;
            volume._control = VolumeControl.Listen(folder.Control(files.Name), volume.DoAsync);
            return volume;
        }
        catch
        {
            await volume.DisposeAsync();
            throw;
        }
    }

    public ValueTask SnapshotAsync(string snapshot, CancellationToken cancellation = default) =>
        ChangeAsync(() => _files.SnapshotAsync(snapshot, CancellationToken.None), cancellation);

    public ValueTask GrowAsync(long size, CancellationToken cancellation = default) =>
        ChangeAsync(() => _files.GrowAsync(size, CancellationToken.None), cancellation);

    /// <summary>
    /// A machine begins to boot: a volume that is to be reset, or to go over to another image version, does so now. What a
    /// volume with the policy <see cref="VolumePolicy.Keep"/> had before it went over stays as a snapshot.
    /// </summary>
    public async ValueTask BeginBootAsync(CancellationToken cancellation = default)
    {
        var settings = VolumeSettings.Load(_folder.Settings(Name));
        if (settings.NextImage is { } next)
        {
            var image = _images.Find(next);
            await ChangeAsync(async () =>
            {
                if (settings.Policy == VolumePolicy.Keep) await _files.SnapshotAsync(NameBefore(image), CancellationToken.None);
                await _files.ResetAsync(image, CancellationToken.None);
            }, cancellation);
            (settings with { NextImage = null }).Save(_folder.Settings(Name));
        }
        else if (settings.Policy == VolumePolicy.Reset)
        {
            var image = _folder.ImageOf(_files.Disk) is { } reference ? _images.Find(reference) : null;
            await ChangeAsync(() => image is null ? _files.ResetAsync(CancellationToken.None) : _files.ResetAsync(image, CancellationToken.None), cancellation);
        }
    }

    public ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellation = default) =>
        Holds(offset, destination.Length) && TryEnter() is { } disk
            ? EndAsync(disk.ReadAsync(offset, destination, cancellation))
            : ReadLaterAsync(offset, destination, cancellation);

    public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default) =>
        Holds(offset, source.Length) && TryEnter() is { } disk
            ? EndAsync(disk.WriteAsync(offset, source, cancellation))
            : WriteLaterAsync(offset, source, cancellation);

    public async ValueTask FlushAsync(CancellationToken cancellation = default)
    {
        var disk = await EnterAsync(cancellation);
        await EndAsync(disk.FlushAsync(cancellation));
    }

    public ValueTask DiscardAsync(long offset, long length, CancellationToken cancellation = default) =>
        WriteZeroesAsync(offset, length, mayDiscard: true, cancellation);

    public async ValueTask WriteZeroesAsync(long offset, long length, bool mayDiscard, CancellationToken cancellation = default)
    {
        CheckRange(offset, length);
        var disk = await EnterAsync(cancellation);
        await EndAsync(disk.WriteZeroesAsync(offset, length, mayDiscard, cancellation));
    }

    public async ValueTask<Extent> GetExtentAsync(long offset, CancellationToken cancellation = default)
    {
        CheckRange(offset, 1);
        var disk = await EnterAsync(cancellation);
        try
        {
            return await disk.GetExtentAsync(offset, cancellation);
        }
        finally
        {
            Leave();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_control is not null) await _control.DisposeAsync();
        if (_disk is not null) await _disk.DisposeAsync();
        _files.Dispose();
        _changing.Dispose();
    }

    private async ValueTask DoAsync(string verb, string argument, CancellationToken cancellation)
    {
        switch (verb)
        {
            case VolumeControl.Snapshot:
                await SnapshotAsync(argument, cancellation);
                break;
            case VolumeControl.Grow when long.TryParse(argument, NumberStyles.None, CultureInfo.InvariantCulture, out var size):
                await GrowAsync(size, cancellation);
                break;
            default:
                throw new VolumeStoreException($"'{verb} {argument}' cannot be done while {Name} is in use");
        }
    }

    /// <summary>Closes the disk, changes its files, and opens what is there then.</summary>
    private async ValueTask ChangeAsync(Func<ValueTask> change, CancellationToken cancellation)
    {
        await _changing.WaitAsync(cancellation);
        var pause = new Pause();
        _pause = pause;
        try
        {
            Interlocked.MemoryBarrier();
            if (Volatile.Read(ref _inFlight) > 0) await pause.Quiet.Task;
            if (_disk is { } disk)
            {
                // Not cancelled from here on: an initiator waits behind it.
                _disk = null;
                await disk.DisposeAsync();
            }
            try
            {
                await change();
            }
            finally
            {
                _disk = await _files.OpenAsync(CancellationToken.None);
            }
        }
        finally
        {
            _pause = null;
            pause.Over.SetResult();
            _changing.Release();
        }
        if (_disk.Length == Length) return;
        Length = _disk.Length;
        LengthChanged?.Invoke();
    }

    private static string NameBefore(StoredImage next) => $"before-{next.Name}.{next.Version}-{DateTime.UtcNow:yyyyMMddHHmmss}";

    // An entry counts before it looks for a pause, and a pause is set before it looks at the count: one of them sees the other.
    private Qcow2Device? TryEnter()
    {
        Interlocked.Increment(ref _inFlight);
        if (_pause is null && _disk is { } disk) return disk;
        Leave();
        return null;
    }

    private async ValueTask<Qcow2Device> EnterAsync(CancellationToken cancellation)
    {
        while (true)
        {
            if (TryEnter() is { } disk) return disk;
            if (_pause is { } pause) await pause.Over.Task.WaitAsync(cancellation);
            else if (_disk is null) throw new BlockDeviceException(BlockDeviceError.Io, $"the volume {Name} could not be opened again after a change");
        }
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref _inFlight) == 0) _pause?.Quiet.TrySetResult();
    }

    private ValueTask EndAsync(ValueTask call)
    {
        if (!call.IsCompleted) return AwaitedAsync(call);
        Leave();
        return call;

        async ValueTask AwaitedAsync(ValueTask running)
        {
            try
            {
                await running;
            }
            finally
            {
                Leave();
            }
        }
    }

    private async ValueTask ReadLaterAsync(long offset, Memory<byte> destination, CancellationToken cancellation)
    {
        CheckRange(offset, destination.Length);
        await EndAsync((await EnterAsync(cancellation)).ReadAsync(offset, destination, cancellation));
    }

    private async ValueTask WriteLaterAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation)
    {
        CheckRange(offset, source.Length);
        await EndAsync((await EnterAsync(cancellation)).WriteAsync(offset, source, cancellation));
    }

    // Before a call is counted as begun: what the disk throws at once would leave it counted for ever.
    private void CheckRange(long offset, long length)
    {
        if (length < 0 || !Holds(offset, length)) throw new ArgumentOutOfRangeException(nameof(offset), offset, $"{length} bytes from there are not within the volume's {Length}");
    }

    private bool Holds(long offset, long length) => offset >= 0 && offset <= Length - length;

    private sealed class Pause
    {
        /// <summary>Nothing is in flight.</summary>
        public TaskCompletionSource Quiet { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Over { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
