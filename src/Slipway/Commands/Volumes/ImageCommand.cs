using System.CommandLine;
using Slipway.Volumes.Store;
using Spectre.Console;

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
        var file = new Argument<FileInfo>("FILE") { Description = "A raw disk, or a qcow2 image without a backing file" };
        var name = new Option<string>("--name") { Description = "The image's name; a name that is there gets its next version", Required = true };
        var sha256 = new Option<string?>("--sha256") { Description = "What the file must hash to" };
        return new Command("import", "Copy a disk in as an image.") { file, name, sha256 }.Runs(async (store, parsed, cancellation) =>
        {
            await using var source = parsed.GetRequiredValue(file).OpenRead();
            return await WithProgressAsync(source.Length, progress =>
                store.Images.ImportAsync(source, parsed.GetRequiredValue(name), parsed.GetValue(sha256), progress, cancellation).AsTask());
        }, Line);
    }

    private static Command Show()
    {
        var image = StoreCommand.Name("IMAGE", "name or name@version");
        return new Command("show", "Show one image.") { image }.Runs((store, parsed, _) => Task.FromResult(store.Images.Find(parsed.GetRequiredValue(image))),
            i => $"{Line(i)}\n{i.Path}\nSHA-256 {i.Sha256}");
    }

    private static Command Remove()
    {
        var image = StoreCommand.Name("IMAGE", "name@version, or a name for its newest version");
        return new Command("rm", "Delete an image that no volume is a clone of.") { image }.Runs((store, parsed, _) =>
        {
            var found = store.Images.Find(parsed.GetRequiredValue(image));
            ImageStore.Remove(found, store.List());
            return Task.FromResult(found);
        }, i => $"{i.Reference} is gone");
    }

    private static Command Verify()
    {
        var image = StoreCommand.Name("IMAGE", "name or name@version");
        return new Command("verify", "Read an image and compare its checksum.") { image }.Runs(async (store, parsed, cancellation) =>
        {
            var found = store.Images.Find(parsed.GetRequiredValue(image));
            if (!await ImageStore.VerifyAsync(found, cancellation))
                throw new VolumeStoreException($"{found.Reference} has changed since it was imported: its SHA-256 is no longer {found.Sha256}. Import it again as a new version");
            return found;
        }, i => $"{i.Reference} is as it was imported");
    }

    private static async Task<StoredImage> WithProgressAsync(long length, Func<IProgress<long>?, Task<StoredImage>> import)
    {
        if (Console.IsErrorRedirected) return await import(null);
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return await console.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .StartAsync(context =>
            {
                var task = context.AddTask("import", maxValue: length);
                return import(new Progress<long>(at => task.Value = at));
            });
    }

    private static string Lines(IReadOnlyList<StoredImage> images) => string.Join('\n', images.Select(Line));

    private static string Line(StoredImage image) => $"{image.Reference}  {image.Format}  {StoreCommand.Bytes(image.Size)}";
}
