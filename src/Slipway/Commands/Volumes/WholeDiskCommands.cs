using System.CommandLine;
using Slipway.Volumes.Store;

namespace Slipway.Commands.Volumes;

/// <summary>What copies a whole disk: the volume must be out of use meanwhile, a snapshot of it need not.</summary>
internal static class WholeDiskCommands
{
    public static IEnumerable<Command> All() => [Publish(), Flatten(), Export()];

    private static Command Publish()
    {
        var volume = StoreCommand.Name("VOLUME", "The volume's name, or VOLUME@SNAPSHOT");
        var name = new Option<string?>("--name") { Description = "The image's name; that of the image which the volume is a clone of where it is left out" };
        return new Command("publish", "Make what a volume shows the next version of an image.") { volume, name }.Runs(async (store, parsed, cancellation) =>
        {
            var reference = parsed.GetRequiredValue(volume);
            var image = parsed.GetValue(name) ?? store.Find(reference.Split('@')[0]).Image?.Split('@')[0]
                ?? throw new VolumeStoreException($"{reference} is a clone of no image: give the new one's --name");
            return await StoreProgress.ShowAsync(progress => store.PublishAsync(reference, image, progress, cancellation).AsTask());
        }, i => $"{i.Reference}  {StoreCommand.Bytes(i.Size)}  takes {StoreCommand.Bytes(i.Bytes)}");
    }

    private static Command Flatten()
    {
        var volume = StoreCommand.Name("VOLUME", "The volume's name");
        return new Command("flatten", "Copy what a volume shares into its own file; it stands on nothing then.") { volume }.Runs((store, parsed, cancellation) =>
            StoreProgress.ShowAsync(progress => store.FlattenAsync(parsed.GetRequiredValue(volume), progress, cancellation).AsTask()), VolumeCommand.Line);
    }

    private static Command Export()
    {
        var volume = StoreCommand.Name("VOLUME", "The volume's name, or VOLUME@SNAPSHOT");
        var file = new Argument<FileInfo>("FILE") { Description = "The file to write; it must not be there" };
        var format = new Option<string?>("--format") { Description = "raw, qcow2 or vhdx; left out: raw for FILE.raw and FILE.img, vhdx for FILE.vhdx, else qcow2" };
        format.AcceptOnlyFromAmong("raw", "qcow2", "vhdx");
        return new Command("export", "Copy a volume into a file of its own.") { volume, file, format }.Runs((store, parsed, cancellation) => StoreProgress.ShowAsync(async progress =>
        {
            var path = parsed.GetRequiredValue(file).FullName;
            var written = parsed.GetValue(format) ?? FormatOf(path);
            await store.ExportAsync(parsed.GetRequiredValue(volume), path, written, progress, cancellation);
            return new ExportedVolume(path, written);
        }), e => $"{e.Path}  {e.Format}");
    }

    private static string FormatOf(string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".raw" or ".img" => "raw",
        ".vhdx" => "vhdx",
        _ => "qcow2",
    };
}

internal sealed record ExportedVolume(string Path, string Format);
