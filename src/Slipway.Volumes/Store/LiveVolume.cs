using System.Globalization;
using Slipway.Disks;
using Slipway.Volumes.Qcow2;

namespace Slipway.Volumes.Store;

/// <summary>
/// A volume that is served. Its files can change under the initiator's feet: for a snapshot, for more room, for a boot
/// that begins anew. I/O that has begun ends first, the rest waits; that takes milliseconds. While nobody needs it the
/// files can be given back.
/// </summary>
public sealed class LiveVolume : IBlockDevice
{
    private readonly VolumeFolder _folder;
    private readonly string _store;
    private readonly ImageStore _images;
    private readonly SemaphoreSlim _changing = new(1, 1);
    private ClosedVolume? _files;
    private VolumeControl? _control;
    private volatile Qcow2Device? _disk;
    private volatile Pause? _pause;
    private int _inFlight;

    // When the disk had been written last as it was released; null while it is held, and once the machine boots.
    private DateTime? _left;

    private LiveVolume(VolumeFolder folder, string store, ImageStore images, string name) => (_folder, _store, _images, Name) = (folder, store, images, name);

    /// <summary>Told after the disk has another length.</summary>
    public event Action? LengthChanged;

    public string Name { get; }

    public string Path => _folder.Disk(Name);

    public long Length { get; private set; }

    public bool IsReadOnly => false;

    /// <summary>A volume whose files are taken at the first use.</summary>
    internal static LiveVolume Of(VolumeFolder folder, string store, ImageStore images, string name) =>
        new(folder, store, images, name) { Length = Qcow2File.SizeOf(folder.Disk(name)) };

    /// <summary>Takes the files at once.</summary>
    internal static async ValueTask<LiveVolume> OpenAsync(VolumeFolder folder, string store, ImageStore images, string name, CancellationToken cancellation)
    {
        var volume = Of(folder, store, images, name);
        try
        {
            await volume.TakeAsync(cancellation);
            volume.Measure();
            return volume;
        }
        catch
        {
            await volume.DisposeAsync();
            throw;
        }
    }

    public ValueTask SnapshotAsync(string snapshot, CancellationToken cancellation = default) =>
        ChangeAsync(files => files.SnapshotAsync(snapshot, CancellationToken.None), cancellation);

    public ValueTask GrowAsync(long size, CancellationToken cancellation = default) =>
        ChangeAsync(files => files.GrowAsync(size, CancellationToken.None), cancellation);

    /// <summary>
    /// A machine begins to boot: a volume that is to be reset, or to go over to another image version, does so now. What a
    /// volume with the policy <see cref="VolumePolicy.Keep"/> had before it went over stays as a snapshot.
    /// </summary>
    public async ValueTask BeginBootAsync(CancellationToken cancellation = default)
    {
        await TakeForBootAsync(cancellation);
        var settings = VolumeSettings.Load(_folder.Settings(Name));
        if (settings.NextImage is { } next)
        {
            var image = _images.Find(next);
            await ChangeAsync(async files =>
            {
                if (settings.Policy == VolumePolicy.Keep) await files.SnapshotAsync(NameBefore(image), CancellationToken.None);
                await files.ResetAsync(image, CancellationToken.None);
            }, cancellation);
            (settings with { NextImage = null }).Save(_folder.Settings(Name));
        }
        else if (settings.Policy == VolumePolicy.Reset)
        {
            var image = _folder.ImageOf(Path) is { } reference ? _images.Find(reference) : null;
            await ChangeAsync(files => image is null ? files.ResetAsync(CancellationToken.None) : files.ResetAsync(image, CancellationToken.None), cancellation);
        }
    }

    /// <summary>
    /// Gives the files back, to whoever may want to change them: the next use takes them again. Where they were written to
    /// in between, that fails until the machine boots anew, since what it remembers of its disk may not be so any more.
    /// </summary>
    public async ValueTask ReleaseAsync()
    {
        await _changing.WaitAsync();
        try
        {
            if (_files is not null) await WithoutCallersAsync(GiveBackAsync);
        }
        finally
        {
            _changing.Release();
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
        await GiveBackAsync();
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
    private async ValueTask ChangeAsync(Func<ClosedVolume, ValueTask> change, CancellationToken cancellation)
    {
        await _changing.WaitAsync(cancellation);
        try
        {
            if (_disk is null) await TakeAsync(cancellation);
            // Not cancelled from here on: an initiator waits behind it.
            await WithoutCallersAsync(async () =>
            {
                await CloseAsync();
                try
                {
                    await change(_files!);
                }
                finally
                {
                    _disk = await _files!.OpenAsync(CancellationToken.None);
                }
            });
        }
        finally
        {
            _changing.Release();
        }
        Measure();
    }

    /// <summary>Runs something while no call is in flight; those that come meanwhile wait for its end.</summary>
    private async ValueTask WithoutCallersAsync(Func<ValueTask> act)
    {
        var pause = new Pause();
        _pause = pause;
        try
        {
            Interlocked.MemoryBarrier();
            if (Volatile.Read(ref _inFlight) > 0) await pause.Quiet.Task;
            await act();
        }
        finally
        {
            _pause = null;
            pause.Over.SetResult();
        }
    }

    private async ValueTask TakeForBootAsync(CancellationToken cancellation)
    {
        await _changing.WaitAsync(cancellation);
        try
        {
            _left = null;
            if (_disk is null) await TakeAsync(cancellation);
        }
        finally
        {
            _changing.Release();
        }
        Measure();
    }

    /// <summary>For a call that found the disk closed.</summary>
    private async ValueTask TakeAgainAsync(CancellationToken cancellation)
    {
        await _changing.WaitAsync(cancellation);
        try
        {
            if (_disk is null) await TakeAsync(cancellation);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException and not BlockDeviceException)
        {
            throw new BlockDeviceException(BlockDeviceError.Io, e.Message, e);
        }
        finally
        {
            _changing.Release();
        }
        Measure();
    }

    private async ValueTask TakeAsync(CancellationToken cancellation)
    {
        _files ??= ClosedVolume.Take(_folder, _store, Name);
        try
        {
            if (_left is { } left && File.GetLastWriteTimeUtc(Path) != left)
                throw new VolumeStoreException($"the volume {Name} was changed while its machine was away: the machine has to boot anew");
            _disk = await _files.OpenAsync(cancellation);
            _left = null;
            _control ??= VolumeControl.Listen(_folder.Control(Name), DoAsync);
        }
        catch
        {
            // One that serves requests keeps its files, and is opened at the next use. (A request may be what comes here: it
            // cannot wait for its own end.)
            if (_control is null) await GiveBackAsync();
            throw;
        }
    }

    private async ValueTask GiveBackAsync()
    {
        if (_control is { } control)
        {
            _control = null;
            await control.DisposeAsync();
        }
        try
        {
            if (_disk is not null)
            {
                await CloseAsync();
                _left = File.GetLastWriteTimeUtc(Path);
            }
        }
        finally
        {
            _files?.Dispose();
            _files = null;
        }
    }

    private async ValueTask CloseAsync()
    {
        if (_disk is not { } disk) return;
        _disk = null;
        await disk.DisposeAsync();
    }

    private void Measure()
    {
        if (_disk is not { } disk || disk.Length == Length) return;
        Length = disk.Length;
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
            else if (_disk is null) await TakeAgainAsync(cancellation);
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
