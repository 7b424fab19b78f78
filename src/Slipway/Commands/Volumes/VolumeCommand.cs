using System.CommandLine;
using Slipway.Volumes.Store;

namespace Slipway.Commands.Volumes;

/// <summary><c>slipway volume</c>: machines' own disks.</summary>
internal static class VolumeCommand
{
    public static Command Create()
    {
        var command = new Command("volume", "Machines' own disks: clones of images, or blank.")
        {
            StoreCommand.State,
            StoreCommand.Json,
            Make(),
            new Command("list", "List the volumes.").Runs((store, _, _) => Task.FromResult(store.List()), volumes => string.Join('\n', volumes.Select(Line))),
            Show(),
            Change(),
            Remove(),
            Usage(),
        };
        foreach (var more in SnapshotCommands.All().Concat(WholeDiskCommands.All()).Concat(InsideCommands.All())) command.Add(more);
        return command;
    }

    private static Command Make()
    {
        var name = new Argument<string?>("NAME") { Description = "The volume's name; the machine's where it is left out", Arity = ArgumentArity.ZeroOrOne };
        var image = new Option<string?>("--image") { Description = "Clone this image (name or name@version)" };
        var size = StoreCommand.Size("--size", "Or a blank disk of this size, like 20G");
        var machine = new Option<string?>("--for") { Description = "The machine whose disk it is" };
        var policy = Policy(required: false);
        var command = new Command("create", "Make a volume.") { name, image, size, machine, policy };
        command.Validators.Add(parsed =>
        {
            if (parsed.GetResult(image) is null == parsed.GetResult(size) is null) parsed.AddError("Give either --image or --size.");
            if (parsed.GetValue(name) is null && parsed.GetValue(machine) is null) parsed.AddError("Give a NAME, or --for MACHINE.");
        });
        return command.Runs(async (store, parsed, cancellation) =>
        {
            var wanted = parsed.GetValue(name) ?? parsed.GetRequiredValue(machine)!;
            var settings = new VolumeSettings(PolicyOf(parsed.GetValue(policy)), parsed.GetValue(machine));
            return parsed.GetValue(image) is { } reference
                ? await store.CloneAsync(wanted, store.Images.Find(reference), settings, cancellation)
                : await store.CreateAsync(wanted, parsed.GetValue(size)!.Value, settings, cancellation);
        }, Line);
    }

    private static Command Show()
    {
        var name = StoreCommand.Name("VOLUME", "The volume's name");
        return new Command("show", "Show one volume and its snapshots.") { name }.Runs((store, parsed, _) => Task.FromResult(store.Find(parsed.GetRequiredValue(name))), Details);
    }

    private static Command Change()
    {
        var name = StoreCommand.Name("VOLUME", "The volume's name");
        var policy = Policy(required: true);
        return new Command("set", "Change what happens at each boot.") { name, policy }.Runs((store, parsed, _) =>
            Task.FromResult(store.SetPolicy(parsed.GetRequiredValue(name), PolicyOf(parsed.GetValue(policy)))), Line);
    }

    private static Command Remove()
    {
        var name = StoreCommand.Name("VOLUME", "The volume's name");
        var yes = Consent.Yes();
        return new Command("rm", "Delete a volume that nobody uses, with its snapshots; asks where it is a machine's disk.") { name, yes }.Runs(async (store, parsed, cancellation) =>
        {
            var volume = store.Find(parsed.GetRequiredValue(name));
            if (!parsed.GetValue(yes) && await VolumeOwners.OfAsync(volume, parsed.GetRequiredValue(StoreCommand.State).FullName, cancellation) is { Count: > 0 } machines)
            {
                var loss = $"{volume.Name} is the disk of {string.Join(" and ", machines)}, which will have none";
                if (parsed.GetValue(StoreCommand.Json) || Consent.Ask($"{loss}. Delete it?") is not { } agreed)
                    throw new VolumeStoreException($"{loss}. Nothing was deleted: give --yes where nobody can be asked");
                if (!agreed)
                    throw new VolumeStoreException("nothing was deleted");
            }
            return store.Remove(volume.Name);
        }, v => $"{v.Name} is gone");
    }

    private static Command Usage()
    {
        var name = new Argument<string?>("VOLUME") { Description = "One volume; all where it is left out", Arity = ArgumentArity.ZeroOrOne };
        return new Command("usage", "Show where volumes' bytes are: shared with their image, or their own.") { name }.Runs(async (store, parsed, cancellation) =>
        {
            var volumes = parsed.GetValue(name) is { } one ? [store.Find(one)] : store.List();
            var usages = new List<VolumeUsage>();
            foreach (var volume in volumes) usages.Add(await store.UsageAsync(volume, cancellation));
            return usages;
        }, usages => string.Join('\n', usages.Select(u =>
            $"{u.Name}  {StoreCommand.Bytes(u.Size)}  shared {StoreCommand.Bytes(u.Shared)}  own {StoreCommand.Bytes(u.Own)}  snapshots {StoreCommand.Bytes(u.Snapshots)}")));
    }

    private static Option<string?> Policy(bool required)
    {
        var policy = new Option<string?>("--policy") { Description = "keep: writes stay; reset: each boot begins with a fresh overlay", Required = required };
        if (!required) policy.DefaultValueFactory = _ => "keep";
        policy.AcceptOnlyFromAmong("keep", "reset");
        return policy;
    }

    private static VolumePolicy PolicyOf(string? word) => word == "reset" ? VolumePolicy.Reset : VolumePolicy.Keep;

    internal static string Line(StoredVolume volume) =>
        $"{volume.Name}  {StoreCommand.Bytes(volume.Size)}  {volume.Image ?? "no image"}  {(volume.Policy == VolumePolicy.Reset ? "reset" : "keep")}  own {StoreCommand.Bytes(volume.OwnBytes)}"
        + (volume.Machine is { } machine ? $"  for {machine}" : "") + (volume.NextImage is { } next ? $"  {next} at the next boot" : "");

    internal static string Details(StoredVolume volume) =>
        string.Join('\n', volume.Snapshots.Select(s => $"  {s.Name}  {s.Taken:u}  {StoreCommand.Bytes(s.OwnBytes)}").Prepend($"{Line(volume)}\n{volume.Path}"));
}
