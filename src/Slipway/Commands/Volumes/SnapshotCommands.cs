using System.CommandLine;

namespace Slipway.Commands.Volumes;

/// <summary>Snapshots, the way back to them, and what else is done in milliseconds. A snapshot and a growth need no pause of the machine.</summary>
internal static class SnapshotCommands
{
    public static IEnumerable<Command> All() => [Take(), Forget(), RollBack(), Grow(), Rebase()];

    private static Command Take()
    {
        var (volume, snapshot) = Arguments();
        return new Command("snapshot", "Keep a volume as it is now, under a name; also while a machine runs from it.") { volume, snapshot }.Runs(async (store, parsed, cancellation) =>
            await store.SnapshotAsync(parsed.GetRequiredValue(volume), parsed.GetRequiredValue(snapshot), cancellation), VolumeCommand.Details);
    }

    private static Command Forget()
    {
        var (volume, snapshot) = Arguments();
        return new Command("rm-snapshot", "Delete a snapshot; what is newer keeps what it shows.") { volume, snapshot }.Runs((store, parsed, cancellation) =>
            StoreProgress.ShowAsync(progress => store.RemoveSnapshotAsync(parsed.GetRequiredValue(volume), parsed.GetRequiredValue(snapshot), progress, cancellation).AsTask()), VolumeCommand.Details);
    }

    private static Command RollBack()
    {
        var (volume, snapshot) = Arguments();
        return new Command("rollback", "Go back to a snapshot; what was written since is gone.") { volume, snapshot }.Runs(async (store, parsed, cancellation) =>
            await store.RollBackAsync(parsed.GetRequiredValue(volume), parsed.GetRequiredValue(snapshot), cancellation), VolumeCommand.Details);
    }

    private static Command Grow()
    {
        var volume = StoreCommand.Name("VOLUME", "The volume's name");
        var size = new Argument<long>("SIZE") { Description = "Its new size, like 40G", CustomParser = result => StoreCommand.ParseSize(result) };
        var more = new Option<bool>("--by") { Description = "SIZE is what comes on top" };
        return new Command("grow", "Make a volume larger; also while a machine runs from it.") { volume, size, more }.Runs(async (store, parsed, cancellation) =>
        {
            var name = parsed.GetRequiredValue(volume);
            var wanted = parsed.GetRequiredValue(size) + (parsed.GetValue(more) ? store.Find(name).Size : 0);
            return await store.GrowAsync(name, wanted, cancellation);
        }, VolumeCommand.Line);
    }

    private static Command Rebase()
    {
        var volume = StoreCommand.Name("VOLUME", "The volume's name");
        var image = StoreCommand.Name("IMAGE", "name@version, or a name for its newest version");
        return new Command("rebase", "Begin anew from another image version at the next boot; what a kept volume had stays as a snapshot.") { volume, image }.Runs((store, parsed, _) =>
        {
            var next = store.Images.Find(parsed.GetRequiredValue(image));
            return Task.FromResult(store.Rebase(parsed.GetRequiredValue(volume), next));
        }, VolumeCommand.Line);
    }

    private static (Argument<string> Volume, Argument<string> Snapshot) Arguments() =>
        (StoreCommand.Name("VOLUME", "The volume's name"), StoreCommand.Name("SNAPSHOT", "The snapshot's name"));
}
