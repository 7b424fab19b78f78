using System.Diagnostics;
using CsCheck;
using Slipway.Disks;
using Slipway.Tests;
using Slipway.Volumes.Raw;

namespace Slipway.Volumes.Tests.Raw;

public sealed class RawFileTests : IDisposable
{
    private const int Size = 1 << 20;

    private readonly string _path = Path.GetTempFileName();

    public RawFileTests() => File.WriteAllBytes(_path, new byte[Size]);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Behaves_as_an_array_of_bytes()
    {
        var operation = Gen.Select(Gen.Int[0, 4], Gen.Int[0, Size / 512 - 1], Gen.Int[1, 64], Gen.Byte);
        operation.List[1, 30].Sample(operations => PlayAsync(operations).GetAwaiter().GetResult(), iter: 100, threads: 1);
    }

    private async Task<bool> PlayAsync(List<(int Kind, int Sector, int Count, byte Fill)> operations)
    {
        await File.WriteAllBytesAsync(_path, new byte[Size], Cancellation);
        var model = new byte[Size];
        await using (var disk = RawFile.Open(_path))
        {
            foreach (var (kind, sector, count, fill) in operations)
            {
                var (offset, length) = (sector * 512, Math.Min(count * 512, Size - sector * 512));
                switch (kind)
                {
                    case 0:
                        var data = Enumerable.Repeat(fill, length).ToArray();
                        await disk.WriteAsync(offset, data, Cancellation);
                        data.CopyTo(model, offset);
                        break;
                    case 1:
                        await disk.DiscardAsync(offset, length, Cancellation);
                        Array.Clear(model, offset, length);
                        break;
                    case 2:
                        await disk.WriteZeroesAsync(offset, length, mayDiscard: false, Cancellation);
                        Array.Clear(model, offset, length);
                        break;
                    case 3:
                        await disk.FlushAsync(Cancellation);
                        break;
                    default:
                        var read = new byte[length];
                        await disk.ReadAsync(offset, read, Cancellation);
                        if (!read.AsSpan().SequenceEqual(model.AsSpan(offset, length)))
                            return false;
                        break;
                }
            }
        }
        return (await File.ReadAllBytesAsync(_path, Cancellation)).AsSpan().SequenceEqual(model);
    }

    [Fact]
    public async Task Discarding_gives_space_back_and_the_extents_show_it()
    {
        await using var disk = RawFile.Open(_path);
        await disk.WriteAsync(0, Enumerable.Repeat((byte)1, Size).ToArray(), Cancellation);
        await disk.DiscardAsync(256 << 10, 512 << 10, Cancellation);

        Assert.Equal(new Extent(0, 256 << 10, ExtentKind.Data), await disk.GetExtentAsync(0, Cancellation));
        Assert.Equal(new Extent(300 << 10, 468 << 10, ExtentKind.Hole), await disk.GetExtentAsync(300 << 10, Cancellation));
        Assert.Equal(new Extent(768 << 10, 256 << 10, ExtentKind.Data), await disk.GetExtentAsync(768 << 10, Cancellation));
    }

    [Fact]
    public async Task A_second_writer_is_refused_and_so_is_a_reader_beside_a_writer()
    {
        await using (RawFile.Open(_path))
        {
            Assert.Contains("is in use by this process", Assert.Throws<IOException>(() => RawFile.Open(_path)).Message, StringComparison.Ordinal);
            Assert.Throws<IOException>(() => RawFile.Open(_path, readOnly: true));
        }
        await using var reader = RawFile.Open(_path, readOnly: true);
        await using var another = RawFile.Open(_path, readOnly: true);
        Assert.Throws<IOException>(() => RawFile.Open(_path));
    }

    [Fact]
    public async Task QEMU_and_a_disk_here_keep_out_of_each_others_way()
    {
        await using (RawFile.Open(_path))
        {
            var (status, output) = await Tool.TryRunAsync("qemu-io", "-f", "raw", "-c", "write 0 512", _path);
            Assert.True(status != 0 && output.Contains("lock", StringComparison.Ordinal), output);
        }
        using var qemu = Process.Start(new ProcessStartInfo("qemu-io", ["-f", "raw", _path]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        await qemu.StandardInput.WriteLineAsync("read 0 512");
        while (await qemu.StandardOutput.ReadLineAsync(Cancellation) is { } line && !line.Contains("512/512", StringComparison.Ordinal))
        {
        }
        Assert.Contains("is in use by qemu-io", Assert.Throws<IOException>(() => RawFile.Open(_path)).Message, StringComparison.Ordinal);
        qemu.StandardInput.Close();
        await qemu.WaitForExitAsync(Cancellation);
        await RawFile.Open(_path).DisposeAsync();
    }

    [Fact]
    public void What_is_no_disk_is_refused_with_what_to_do()
    {
        Assert.Contains("is a folder", Assert.Throws<IOException>(() => RawFile.Open(Path.GetDirectoryName(_path)!)).Message, StringComparison.Ordinal);
        File.WriteAllBytes(_path, []);
        Assert.Contains("truncate -s", Assert.Throws<IOException>(() => RawFile.Open(_path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_read_only_disk_refuses_every_change()
    {
        await using var disk = RawFile.Open(_path, readOnly: true);
        Assert.True(disk.IsReadOnly);
        foreach (var change in (Func<ValueTask>[])[() => disk.WriteAsync(0, new byte[512], Cancellation), () => disk.DiscardAsync(0, 512, Cancellation), () => disk.WriteZeroesAsync(0, 512, true, Cancellation)])
            Assert.Equal(BlockDeviceError.ReadOnly, (await Assert.ThrowsAsync<BlockDeviceException>(async () => await change())).Error);
        await disk.FlushAsync(Cancellation);
    }

    [Theory]
    [InlineData(-512, 512)]
    [InlineData(Size, 512)]
    [InlineData(Size - 512, 1024)]
    public async Task A_range_outside_is_a_bug_of_the_caller(int offset, int length)
    {
        await using var disk = RawFile.Open(_path);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await disk.ReadAsync(offset, new byte[length], Cancellation));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await disk.WriteAsync(offset, new byte[length], Cancellation));
    }

    [Fact]
    public void A_file_of_half_a_sector_is_refused_with_what_to_do()
    {
        File.WriteAllBytes(_path, new byte[700]);
        Assert.Contains("truncate", Assert.Throws<IOException>(() => RawFile.Open(_path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cached_reads_and_writes_complete_at_once_and_allocate_nothing()
    {
        await using var disk = RawFile.Open(_path);
        var buffer = new byte[4096];
        Touch(100);
        Assert.Equal(0, Allocations.Of(() => Touch(1000)));

        void Touch(int times)
        {
            for (var i = 0; i < times; i++)
            {
                Complete(disk.WriteAsync(i * 512, buffer, CancellationToken.None));
                Complete(disk.ReadAsync(i * 512, buffer, CancellationToken.None));
            }
        }

        // What does not complete at once allocates. The kernel may have taken a page out of its cache: then it is so for once.
        static void Complete(ValueTask call)
        {
            if (!call.IsCompletedSuccessfully) call.AsTask().GetAwaiter().GetResult();
        }
    }
}
