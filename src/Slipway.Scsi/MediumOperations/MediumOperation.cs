using Slipway.Disks;

namespace Slipway.Scsi.MediumOperations;

/// <summary>
/// An operation on every block of the medium, of SANITIZE (SBC-3 §4.11) or FORMAT UNIT (SBC-3 §4.10). It belongs to the
/// unit, not to the command or nexus that began it: no abort and no reset ends it, but another medium does. It is paced, so
/// that other units find their disks free.
/// </summary>
internal sealed class MediumOperation
{
    private const int StepLength = 8 << 20;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly DiskUnit _unit;
    private readonly IBlockDevice _device;
    private readonly Func<MediumOperation, Task> _work;
    private readonly long _total;
    private CancellationToken _stopped;
    private long _done;

    private MediumOperation(DiskUnit unit, int passes, Func<MediumOperation, Task> work)
    {
        (_unit, _device, _work) = (unit, unit.Device, work);
        _total = _device.Length * passes;
    }

    /// <summary>Ends when the operation does; faulted with the medium's refusal, cancelled where it was stopped.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>Of 65 536.</summary>
    public ushort Progress => (ushort)Math.Min(ushort.MaxValue, 65536.0 * Volatile.Read(ref _done) / _total);

    /// <summary>Every block is written with a pattern, <paramref name="passes"/> times, each with the last one's inverse if so asked.</summary>
    /// <param name="block">The pattern, repeated to a block.</param>
    public static MediumOperation Overwrite(DiskUnit unit, byte[] block, int passes, bool inverts) =>
        new(unit, passes, operation => operation.OverwriteAsync(block, passes, inverts));

    /// <summary>Every block is given back, and reads as zeroes.</summary>
    public static MediumOperation Erase(DiskUnit unit) => new(unit, 1, operation => operation.EraseAsync());

    /// <summary>Called when the unit refuses commands already: what has begun before ends first, so that nothing of it is written again.</summary>
    public void Start(CancellationToken stopped)
    {
        _stopped = stopped;
        Completion = Task.Run(async () =>
        {
            await _unit.DrainChangesAsync(_stopped);
            await _work(this);
        }, stopped);
    }

    /// <summary>A pattern, repeated to fill a block (SBC-3 §5.3.2.3, §5.24).</summary>
    public static byte[] Block(ReadOnlySpan<byte> pattern, int length)
    {
        var block = new byte[length];
        for (var at = 0; at < length; at += pattern.Length)
            pattern[..Math.Min(pattern.Length, length - at)].CopyTo(block.AsSpan(at));
        return block;
    }

    private async Task OverwriteAsync(byte[] block, int passes, bool inverts)
    {
        var step = new byte[Math.Min(StepLength, _device.Length)];
        for (var at = 0; at < step.Length; at += block.Length)
            block.AsSpan(0, Math.Min(block.Length, step.Length - at)).CopyTo(step.AsSpan(at));
        for (var pass = 0; pass < passes; pass++)
        {
            for (long offset = 0; offset < _device.Length; offset += step.Length)
            {
                if (offset > 0)
                    await Task.Delay(Pause, _stopped);
                var length = (int)Math.Min(step.Length, _device.Length - offset);
                await _device.WriteAsync(offset, step.AsMemory(0, length), _stopped);
                Interlocked.Add(ref _done, length);
            }

            await _device.FlushAsync(_stopped);
            if (inverts)
            {
                for (var i = 0; i < step.Length; i++)
                    step[i] = (byte)~step[i];
            }
        }
    }

    private async Task EraseAsync()
    {
        const long most = 1L << 30;
        for (long offset = 0; offset < _device.Length; offset += most)
        {
            var length = Math.Min(most, _device.Length - offset);
            await _device.WriteZeroesAsync(offset, length, mayDiscard: true, _stopped);
            Interlocked.Add(ref _done, length);
        }

        await _device.FlushAsync(_stopped);
    }
}
