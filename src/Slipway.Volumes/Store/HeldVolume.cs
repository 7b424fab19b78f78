using Slipway.Volumes.Qcow2;

namespace Slipway.Volumes.Store;

/// <summary>
/// The files of a volume that a process serves: taken, with the lock that keeps others out and the socket that others ask
/// by, and given back. One call at a time.
/// </summary>
/// <param name="handle">Does what is asked by the socket (<see cref="VolumeControl"/>).</param>
internal sealed class HeldVolume(VolumeFolder folder, string store, string name, Func<string, string, CancellationToken, ValueTask> handle) : IAsyncDisposable
{
    private ClosedVolume? _files;
    private VolumeControl? _control;
    private volatile Qcow2Device? _disk;

    // When the disk had been written last as it was given back; null while it is held, and once the machine boots.
    private DateTime? _left;

    /// <summary>Null while it is not open.</summary>
    public Qcow2Device? Disk => _disk;

    public bool IsHeld => _files is not null;

    /// <summary>Takes the files where they are not held, and opens the disk where it is closed.</summary>
    /// <exception cref="VolumeStoreException">Somebody else has them, or had them and wrote.</exception>
    public async ValueTask TakeAsync(CancellationToken cancellation)
    {
        if (_disk is not null) return;
        _files ??= ClosedVolume.Take(folder, store, name);
        try
        {
            if (_left is { } left && File.GetLastWriteTimeUtc(folder.Disk(name)) != left)
                throw new VolumeStoreException($"the volume {name} was changed while its machine was away: the machine has to boot anew");
            _disk = await _files.OpenAsync(cancellation);
            _left = null;
            _control ??= VolumeControl.Listen(folder.Control(name), handle);
        }
        catch
        {
            // One that serves requests keeps its files, and is opened at the next use. (A request may be what comes here: it
            // cannot wait for its own end.)
            if (_control is null) await GiveBackAsync();
            throw;
        }
    }

    /// <summary>The machine boots, and takes its disk as it finds it: true where that is not how it was left.</summary>
    public async ValueTask<bool> TakeAsFoundAsync(CancellationToken cancellation)
    {
        var left = _left;
        var wasChanged = left is not null && File.GetLastWriteTimeUtc(folder.Disk(name)) != left;
        _left = null;
        try
        {
            await TakeAsync(cancellation);
        }
        catch
        {
            // The machine asks again, and that boot is to know of it.
            _left = left;
            throw;
        }
        return wasChanged;
    }

    /// <summary>Closes the disk, changes its files, and opens what is there then. Not cancelled: an initiator waits behind it.</summary>
    public async ValueTask ChangeAsync(Func<ClosedVolume, ValueTask> change)
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
    }

    public async ValueTask GiveBackAsync()
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
                _left = File.GetLastWriteTimeUtc(folder.Disk(name));
            }
        }
        finally
        {
            _files?.Dispose();
            _files = null;
        }
    }

    public ValueTask DisposeAsync() => GiveBackAsync();

    private async ValueTask CloseAsync()
    {
        if (_disk is not { } disk) return;
        _disk = null;
        await disk.DisposeAsync();
    }
}
