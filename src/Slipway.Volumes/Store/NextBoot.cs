namespace Slipway.Volumes.Store;

/// <summary>What a volume's settings ask for when its machine begins to boot: to be reset, to go over to another image version, or nothing.</summary>
internal sealed class NextBoot(VolumeFolder folder, ImageStore images, string name)
{
    /// <summary>What a volume with the policy <see cref="VolumePolicy.Keep"/> had before it went over stays as a snapshot.</summary>
    public async ValueTask PrepareAsync(LiveVolume volume, CancellationToken cancellation)
    {
        var settings = VolumeSettings.Load(folder.Settings(name));
        if (settings.NextImage is { } next)
        {
            var image = images.Find(next);
            await volume.ReplaceAsync(async files =>
            {
                if (settings.Policy == VolumePolicy.Keep) await files.SnapshotAsync(NameBefore(image), CancellationToken.None);
                await files.ResetAsync(image, CancellationToken.None);
            }, cancellation);
            (settings with { NextImage = null }).Save(folder.Settings(name));
        }
        else if (settings.Policy == VolumePolicy.Reset)
        {
            var image = folder.ImageOf(folder.Disk(name)) is { } reference ? images.Find(reference) : null;
            await volume.ReplaceAsync(files => image is null ? files.ResetAsync(CancellationToken.None) : files.ResetAsync(image, CancellationToken.None), cancellation);
        }
    }

    private static string NameBefore(StoredImage next) => $"before-{next.Name}.{next.Version}-{DateTime.UtcNow:yyyyMMddHHmmss}";
}
