using System.CommandLine;
using Slipway.Volumes.Store;

namespace Slipway.Commands.Volumes;

/// <summary><c>slipway image</c>: golden images, versioned, never written again.</summary>
internal static class ImageCommand
{
    public static Command Create() => new("image", "Golden images: what machines' disks are clones of.")
    {
        StoreCommand.State,
        StoreCommand.Json,
        Import(),
        new Command("list", "List the images.").Runs((store, _, _) => Task.FromResult(store.Images.List()), Lines),
        Show(),
        Remove(),
        Verify(),
    };

    private static Command Import()
    {
        var source = new Argument<string>("FILE|URL") { Description = "A raw disk, qcow2, VHD, VHDX, VMDK or ISO, as it is or packed with gzip, xz or zstd; a path, or an http(s) address" };
        var name = new Option<string>("--name") { Description = "The image's name; a name that is there gets its next version", Required = true };
        var sha256 = new Option<string?>("--sha256") { Description = "What the file must hash to, as it is fetched" };
        var command = new Command("import", "Copy a disk in as an image. One that was interrupted while fetching goes on when it is run again.") { source, name, sha256 };
        sha256.Validators.Add(given =>
        {
            if (given.GetValueOrDefault<string?>() is { } hash && (hash.Length != 64 || !hash.All(char.IsAsciiHexDigit))) given.AddError("--sha256 takes 64 hexadecimal digits.");
        });
        return command.Runs((store, parsed, cancellation) => StoreProgress.ShowAsync(progress =>
            store.Images.ImportAsync(parsed.GetRequiredValue(source), parsed.GetRequiredValue(name), parsed.GetValue(sha256), progress, cancellation).AsTask()), Line);
    }

    private static Command Show()
    {
        var image = StoreCommand.Name("IMAGE", "name or name@version");
        return new Command("show", "Show one image.") { image }.Runs((store, parsed, _) => Task.FromResult(store.Images.Find(parsed.GetRequiredValue(image))),
            i => $"{Line(i)}\n{i.Path}\nchecksum {i.Checksum}");
    }

    private static Command Remove()
    {
        var image = StoreCommand.Name("IMAGE", "name@version, or a name for its newest version");
        return new Command("rm", "Delete an image that no volume is a clone of.") { image }
            .Runs((store, parsed, _) => Task.FromResult(store.RemoveImage(parsed.GetRequiredValue(image))), i => $"{i.Reference} is gone");
    }

    private static Command Verify()
    {
        var image = StoreCommand.Name("IMAGE", "name or name@version");
        return new Command("verify", "Read an image and compare its checksums.") { image }.Runs(async (store, parsed, cancellation) =>
        {
            var found = store.Images.Find(parsed.GetRequiredValue(image));
            var damage = await StoreProgress.ShowAsync(progress => ImageStore.VerifyAsync(found, progress, cancellation).AsTask());
            if (damage is { } offset)
                throw new VolumeStoreException($"{found.Reference} has changed since it was imported: the bytes from {offset} on are others. Import it again as a new version");
            return found;
        }, i => $"{i.Reference} is as it was imported");
    }

    private static string Lines(IReadOnlyList<StoredImage> images) => string.Join('\n', images.Select(Line));

    private static string Line(StoredImage image) =>
        $"{image.Reference}  {image.Format}  {StoreCommand.Bytes(image.Size)}  takes {StoreCommand.Bytes(image.Bytes)}";
}
