using Slipway.Disks;
using Slipway.Volumes.Import;

namespace Slipway.Volumes.Qcow2;

/// <summary>
/// Copies into an image what it shows of the one that it stands on, so that it can stand on what is under that. It shows
/// the same before, after, and wherever this ends in between.
/// </summary>
internal static class Qcow2Pull
{
    private const int PieceBytes = 4 << 20;

    /// <param name="below">What <paramref name="device"/> stands on, opened once more.</param>
    /// <exception cref="DiskFormatException">It is smaller than what it stands on itself: more would be seen of that.</exception>
    public static async ValueTask RunAsync(Qcow2Device device, Qcow2Device below, IProgress<ImportProgress>? progress, CancellationToken cancellation)
    {
        if (below.BackingLength > below.Length) throw new DiskFormatException($"qcow2: an image of {below.Length} bytes stands on one of {below.BackingLength}, which is more");
        var buffer = new byte[PieceBytes];
        for (var at = 0L; at < device.Length; progress?.Report(new("copy", at, device.Length)))
        {
            var (extent, isBelow) = await device.GetOriginAsync(at, cancellation);
            var length = extent.Length;
            if (isBelow)
            {
                var (origin, isDeeper) = await below.GetOriginAsync(at, cancellation);
                length = Math.Min(Math.Min(length, origin.Length), PieceBytes);
                if (!isDeeper) await PullAsync(at, buffer.AsMemory(0, (int)length), origin.Kind);
            }
            at += length;
        }
        await device.FlushAsync(cancellation);

        async ValueTask PullAsync(long at, Memory<byte> piece, ExtentKind kind)
        {
            if (kind == ExtentKind.Data)
            {
                await below.ReadAsync(at, piece, cancellation);
                await device.WriteAsync(at, piece, cancellation);
            }
            // Zeroes hide what is under them; where there is nothing, nothing need be hidden.
            else if (at < below.BackingLength) await device.WriteZeroesAsync(at, piece.Length, mayDiscard: true, cancellation);
        }
    }
}
