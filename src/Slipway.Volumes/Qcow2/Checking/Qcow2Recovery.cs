using Slipway.Volumes.Qcow2.Files;
using Slipway.Volumes.Qcow2.Headers;
using Slipway.Volumes.Qcow2.Tables;
using Slipway.Volumes.Qcow2.Writing;

namespace Slipway.Volumes.Qcow2.Checking;

/// <summary>What has to be done with an image before anybody writes into it: what its last user left open is closed.</summary>
internal static class Qcow2Recovery
{
    private const int AutoclearAt = 88;

    /// <summary>Brings the journal's changes into the tables, makes the reference counts anew, and clears the marks.</summary>
    /// <returns>The header as it is then.</returns>
    /// <exception cref="Disks.DiskFormatException">The image is corrupt.</exception>
    public static async ValueTask<Qcow2Header> RunAsync(IImageFile file, Qcow2Header header, Qcow2Marks marks, CancellationToken cancellation)
    {
        if (marks.IsDirty)
        {
            if (await Qcow2Journal.ReadAsync(file, header, cancellation) is { Count: > 0 } changes)
            {
                // The same order as ever: what the entries lead to comes before them.
                await file.FlushAsync(cancellation);
                var tables = await Qcow2Tables.ReadAsync(file, header, marks, cancellation);
                foreach (var change in changes) await tables.SetAsync(change, cancellation);
                await tables.WriteAsync(changes, cancellation);
                await file.FlushAsync(cancellation);
            }
            header = await Qcow2Repair.RunAsync(file, header, marks, cancellation);
        }
        // "Autoclear feature bits": whoever writes and does not know them clears them. What the journal's says is done.
        if (header.AutoclearFeatures != 0) await file.WriteAsync(AutoclearAt, new byte[8], cancellation);
        return await Qcow2Journal.MakeRoomAsync(file, header with { AutoclearFeatures = 0 }, cancellation);
    }
}
