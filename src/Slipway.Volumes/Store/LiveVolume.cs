using System.Globalization;
using Slipway.Disks;
using Slipway.Volumes.Qcow2;

namespace Slipway.Volumes.Store;

/// <summary>
/// A volume that is served. Its files can change under the initiator's feet: for a snapshot, for more room, for a boot
/// that begins anew. I/O that has begun ends first, the rest waits (<see cref="CallGate"/>); that takes milliseconds. While
/// nobody needs it the files can be given back (<see cref="HeldVolume"/>).
/// </summary>
public sealed class LiveVolume : IBlockDevice
{
    private readonly CallGate _gate = new();
    private readonly HeldVolume _held;
    private readonly NextBoot _nextBoot;
    private readonly SemaphoreSlim _changing = new(1, 1);

    private LiveVolume(VolumeFolder folder, string store, ImageStore images, string name)
    {
        (Name, Path, Length) = (name, folder.Disk(name), Qcow2File.SizeOf(folder.Disk(name)));
        (_held, _nextBoot) = (new(folder, store, name, DoAsync), new(folder, images, name));
    }

    /// <summary>Told after the disk has another length.</summary>
    public event Action? LengthChanged;

    /// <summary>Called before the disk has another content, while no call is under way; or once another process has changed it.</summary>
    public Func<ValueTask>? Replacing { get; set; }

    public string Name { get; }

    public string Path { get; }

    public long Length { get; private set; }

    public bool IsReadOnly => false;

    /// <summary>A volume whose files are taken at the first use.</summary>
    internal static LiveVolume Of(VolumeFolder folder, string store, ImageStore images, string name) => new(folder, store, images, name);

    /// <summary>Takes the files at once.</summary>
    internal static async ValueTask<LiveVolume> OpenAsync(VolumeFolder folder, string store, ImageStore images, string name, CancellationToken cancellation)
    {
        var volume = Of(folder, store, images, name);
        try
        {
            await volume.TakeAsync(cancellation);
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

    /// <summary>A machine begins to boot: a volume that is to be reset, or to go over to another image version, does so now.</summary>
    public async ValueTask BeginBootAsync(CancellationToken cancellation = default)
    {
        await AloneAsync(async () =>
        {
            if (await _held.TakeAsFoundAsync(cancellation) && Replacing is { } replacing) await replacing();
        }, cancellation);
        Measure();
        await _nextBoot.PrepareAsync(this, cancellation);
    }

    /// <summary>
    /// Gives the files back, to whoever may want to change them: the next use takes them again. Where they were written to
    /// in between, that fails until the machine boots anew, since what it remembers of its disk may not be so any more.
    /// </summary>
    public ValueTask ReleaseAsync() => AloneAsync(async () =>
    {
        if (_held.IsHeld) await _gate.WithoutCallsAsync(_held.GiveBackAsync);
    });

    public ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellation = default) =>
        Holds(offset, destination.Length) && TryEnter() is { } disk
            ? _gate.LeaveAfterAsync(disk.ReadAsync(offset, destination, cancellation))
            : ReadLaterAsync(offset, destination, cancellation);

    public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default) =>
        Holds(offset, source.Length) && TryEnter() is { } disk
            ? _gate.LeaveAfterAsync(disk.WriteAsync(offset, source, cancellation))
            : WriteLaterAsync(offset, source, cancellation);

    public async ValueTask FlushAsync(CancellationToken cancellation = default)
    {
        var disk = await EnterAsync(cancellation);
        await _gate.LeaveAfterAsync(disk.FlushAsync(cancellation));
    }

    public ValueTask DiscardAsync(long offset, long length, CancellationToken cancellation = default) =>
        WriteZeroesAsync(offset, length, mayDiscard: true, cancellation);

    public async ValueTask WriteZeroesAsync(long offset, long length, bool mayDiscard, CancellationToken cancellation = default)
    {
        CheckRange(offset, length);
        var disk = await EnterAsync(cancellation);
        await _gate.LeaveAfterAsync(disk.WriteZeroesAsync(offset, length, mayDiscard, cancellation));
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
            _gate.Leave();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _held.DisposeAsync();
        _changing.Dispose();
    }

    /// <summary>Changes the files while no call is under way; those that come meanwhile find what is there then.</summary>
    internal async ValueTask ChangeAsync(Func<ClosedVolume, ValueTask> change, CancellationToken cancellation)
    {
        await AloneAsync(async () =>
        {
            await _held.TakeAsync(cancellation);
            await _gate.WithoutCallsAsync(() => _held.ChangeAsync(change));
        }, cancellation);
        Measure();
    }

    /// <summary><see cref="ChangeAsync"/>, after which the disk has another content.</summary>
    internal ValueTask ReplaceAsync(Func<ClosedVolume, ValueTask> change, CancellationToken cancellation) => ChangeAsync(async files =>
    {
        if (Replacing is { } replacing) await replacing();
        await change(files);
    }, cancellation);

    // What another process asks for.
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

    private async ValueTask AloneAsync(Func<ValueTask> act, CancellationToken cancellation = default)
    {
        await _changing.WaitAsync(cancellation);
        try
        {
            await act();
        }
        finally
        {
            _changing.Release();
        }
    }

    private async ValueTask TakeAsync(CancellationToken cancellation)
    {
        await AloneAsync(() => _held.TakeAsync(cancellation), cancellation);
        Measure();
    }

    private void Measure()
    {
        if (_held.Disk is not { } disk || disk.Length == Length) return;
        Length = disk.Length;
        LengthChanged?.Invoke();
    }

    private Qcow2Device? TryEnter()
    {
        if (!_gate.TryEnter()) return null;
        if (_held.Disk is { } disk) return disk;
        _gate.Leave();
        return null;
    }

    private async ValueTask<Qcow2Device> EnterAsync(CancellationToken cancellation)
    {
        while (true)
        {
            if (TryEnter() is { } disk) return disk;
            if (_gate.Opening is { } opening) await opening.WaitAsync(cancellation);
            else if (_held.Disk is null) await TakeForCallAsync(cancellation);
        }
    }

    private async ValueTask TakeForCallAsync(CancellationToken cancellation)
    {
        try
        {
            await TakeAsync(cancellation);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException and not BlockDeviceException)
        {
            throw new BlockDeviceException(BlockDeviceError.Io, e.Message, e);
        }
    }

    private async ValueTask ReadLaterAsync(long offset, Memory<byte> destination, CancellationToken cancellation)
    {
        CheckRange(offset, destination.Length);
        var disk = await EnterAsync(cancellation);
        await _gate.LeaveAfterAsync(disk.ReadAsync(offset, destination, cancellation));
    }

    private async ValueTask WriteLaterAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation)
    {
        CheckRange(offset, source.Length);
        var disk = await EnterAsync(cancellation);
        await _gate.LeaveAfterAsync(disk.WriteAsync(offset, source, cancellation));
    }

    // Before a call is counted as begun: what the disk throws at once would leave it counted for ever.
    private void CheckRange(long offset, long length)
    {
        if (length < 0 || !Holds(offset, length)) throw new ArgumentOutOfRangeException(nameof(offset), offset, $"{length} bytes from there are not within the volume's {Length}");
    }

    private bool Holds(long offset, long length) => offset >= 0 && offset <= Length - length;
}
