using System.Buffers;
using Slipway.Disks;
using Slipway.Volumes.Qcow2.Checking;
using Slipway.Volumes.Qcow2.Files;
using Slipway.Volumes.Qcow2.Headers;
using Slipway.Volumes.Qcow2.Tables;
using Slipway.Volumes.Qcow2.Writing;

namespace Slipway.Volumes.Qcow2;

/// <summary>
/// A qcow2 image as a disk. Reads whose tables are in memory and that lie in one cluster go straight to the file, without
/// an allocation here. Writes are in <see cref="Qcow2Writer"/>, which says how they are ordered.
/// </summary>
public sealed class Qcow2Device : IBlockDevice
{
    private readonly IImageFile _file;
    private readonly IBlockDevice? _backing;
    private readonly Qcow2Map _map;
    private readonly Qcow2Extents _extents;
    private readonly Qcow2Writer? _writer;
    private readonly SemaphoreSlim _metadata = new(1, 1);
    private volatile Unpacked? _unpacked;

    private Qcow2Device(IImageFile file, Qcow2Header header, Qcow2Tables tables, Qcow2Marks marks, IBlockDevice? backing)
    {
        (_file, Header, _backing) = (file, header, backing);
        _map = new(file, header, tables, marks, _metadata);
        _extents = new(_map, backing, header.Size);
        if (!file.IsReadOnly) _writer = new(this, file, _map, tables, marks, _metadata);
    }

    public Qcow2Header Header { get; }

    public long Length => Header.Size;

    public bool IsReadOnly => _writer is null;

    /// <summary>The length of the disk that this one stands on; 0 without one.</summary>
    internal long BackingLength => _backing?.Length ?? 0;

    /// <summary>Opens an image. It owns the file and the backing disk, and disposes of both.</summary>
    /// <param name="openBacking">Opens the backing image by the name and format that the header has; decides which names are allowed.</param>
    /// <exception cref="DiskFormatException">The image is damaged, or uses what is not supported; the message says what.</exception>
    public static async ValueTask<Qcow2Device> OpenAsync(
        IImageFile file, Func<string, string?, ValueTask<IBlockDevice>> openBacking, CancellationToken cancellation = default)
    {
        var header = await Qcow2Header.ReadAsync(file, cancellation);
        if (header.Size % 512 != 0) throw new DiskFormatException($"qcow2: a disk of {header.Size} bytes, which is not a multiple of 512");
        if (!file.IsReadOnly) RequireWritable(header);
        var marks = new Qcow2Marks(file, header);
        if (!file.IsReadOnly) header = await Qcow2Recovery.RunAsync(file, header, marks, cancellation);
        var tables = await Qcow2Tables.ReadAsync(file, header, marks, cancellation);
        // Who may not write reads the changes where they are.
        foreach (var change in await Qcow2Journal.ReadAsync(file, header, cancellation)) await tables.SetAsync(change, cancellation);
        var backing = header.BackingFile is null ? null : await openBacking(header.BackingFile, header.BackingFormat);
        return new(file, header, tables, marks, backing);
    }

    public ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellation = default)
    {
        Check(offset, destination.Length);
        while (destination.Length > 0)
        {
            if (!_map.TryRun(offset, destination.Length, out var mapping, out var length)) break;
            var part = destination[..length];
            ValueTask read;
            if (mapping.Kind == MappingKind.Data) read = _file.ReadAsync(_map.HostOffset(mapping, offset), part, cancellation);
            else if (mapping.Kind == MappingKind.Compressed) break;
            else if (mapping.Kind == MappingKind.Unallocated && _backing is not null && offset < _backing.Length)
            {
                if (offset + length > _backing.Length) break;
                read = _backing.ReadAsync(offset, part, cancellation);
            }
            else
            {
                part.Span.Clear();
                read = ValueTask.CompletedTask;
            }
            if (length == destination.Length) return read;
            destination = destination[length..];
            offset += length;
            if (!read.IsCompletedSuccessfully) return ReadRestAsync(read, offset, destination, cancellation);
        }
        return destination.Length == 0 ? ValueTask.CompletedTask : ReadManyAsync(offset, destination, cancellation);
    }

    public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default)
    {
        Check(offset, source.Length);
        return Writer.WriteAsync(offset, source, cancellation);
    }

    public ValueTask FlushAsync(CancellationToken cancellation = default) => _writer?.FlushAsync(cancellation) ?? ValueTask.CompletedTask;

    public ValueTask DiscardAsync(long offset, long length, CancellationToken cancellation = default) => WriteZeroesAsync(offset, length, mayDiscard: true, cancellation);

    public ValueTask WriteZeroesAsync(long offset, long length, bool mayDiscard, CancellationToken cancellation = default)
    {
        Check(offset, length);
        return Writer.ZeroAsync(offset, length, cancellation);
    }

    public ValueTask<Extent> GetExtentAsync(long offset, CancellationToken cancellation = default)
    {
        Check(offset, 1);
        return _extents.GetAsync(offset, cancellation);
    }

    /// <summary>The extent at a place, and whether its bytes are those of the backing image.</summary>
    internal ValueTask<(Extent Extent, bool IsBelow)> GetOriginAsync(long offset, CancellationToken cancellation)
    {
        Check(offset, 1);
        return _extents.GetOriginAsync(offset, cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        if (_writer is not null) await _writer.DisposeAsync();
        await _file.DisposeAsync();
        if (_backing is not null) await _backing.DisposeAsync();
        _metadata.Dispose();
    }

    internal static void RequireWritable(Qcow2Header header)
    {
        var reason = header.Version < 3 ? "it is of version 2 (`qemu-img amend -o compat=1.1` makes it 3)"
            : (header.Features & Qcow2Features.Corrupt) != 0 ? "it is marked corrupt (`qemu-img check -r all` repairs it)"
            : header.RefcountOrder != 4 ? "its reference counts are not of 16 bits"
            : null;
        if (reason is not null) throw new DiskFormatException($"qcow2: the image can be read, not written: {reason}");
    }

    private Qcow2Writer Writer => _writer ?? throw new BlockDeviceException(BlockDeviceError.ReadOnly, "this image takes no writes");

    private async ValueTask ReadRestAsync(ValueTask first, long offset, Memory<byte> destination, CancellationToken cancellation)
    {
        await first;
        await ReadAsync(offset, destination, cancellation);
    }

    private async ValueTask ReadManyAsync(long offset, Memory<byte> destination, CancellationToken cancellation)
    {
        while (destination.Length > 0)
        {
            var (mapping, length) = await _map.LookupAsync(offset, cancellation);
            length = Math.Min(length, destination.Length);
            var part = destination[..length];
            switch (mapping.Kind)
            {
                case MappingKind.Data:
                    await _file.ReadAsync(_map.HostOffset(mapping, offset), part, cancellation);
                    break;
                case MappingKind.Compressed when length == Header.ClusterSize:
                    await UnpackAsync(mapping, part, cancellation);
                    break;
                case MappingKind.Compressed:
                    var cluster = await UnpackAsync(mapping, cancellation);
                    cluster.AsMemory((int)(offset & (Header.ClusterSize - 1)), length).CopyTo(part);
                    break;
                case MappingKind.Unallocated when _backing is not null && offset < _backing.Length:
                    var there = (int)Math.Min(length, _backing.Length - offset);
                    await _backing.ReadAsync(offset, part[..there], cancellation);
                    part.Span[there..].Clear();
                    break;
                default:
                    part.Span.Clear();
                    break;
            }
            destination = destination[length..];
            offset += length;
        }
    }

    // Readers go through an image in order: the cluster unpacked last answers the reads that follow.
    private async ValueTask<byte[]> UnpackAsync(Mapping mapping, CancellationToken cancellation)
    {
        if (_unpacked is { } last && last.Offset == mapping.HostOffset) return last.Bytes;
        var bytes = new byte[Header.ClusterSize];
        await UnpackAsync(mapping, bytes, cancellation);
        // A writable image may free these bytes and put others there: only a read-only one keeps them.
        if (IsReadOnly) _unpacked = new(mapping.HostOffset, bytes);
        return bytes;
    }

    private async ValueTask UnpackAsync(Mapping mapping, Memory<byte> cluster, CancellationToken cancellation)
    {
        if (mapping.HostOffset >= _file.Length) throw new BlockDeviceException(BlockDeviceError.Corrupt, $"qcow2: a compressed cluster at {mapping.HostOffset} is outside of the file");
        var packed = ArrayPool<byte>.Shared.Rent(mapping.CompressedLength);
        try
        {
            await _file.ReadAsync(mapping.HostOffset, packed.AsMemory(0, mapping.CompressedLength), cancellation);
            Qcow2Compression.Unpack(packed, mapping.CompressedLength, cluster.Span, Header.UsesZstd);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(packed);
        }
    }

    private void Check(long offset, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - length);
    }

    private sealed record Unpacked(long Offset, byte[] Bytes);
}
