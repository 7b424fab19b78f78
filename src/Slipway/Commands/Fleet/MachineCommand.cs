using System.CommandLine;
using Slipway.Commands.Volumes;
using Slipway.Server.Api;

namespace Slipway.Commands.Fleet;

/// <summary><c>slipway machine</c>: who may boot, and who asked to.</summary>
internal static class MachineCommand
{
    public static Command Create() => new("machine", "Machines: approve those that asked to boot, and see what each is.")
    {
        StoreCommand.State,
        StoreCommand.Json,
        new Command("list", "List the machines: approved ones, and those that only asked to boot.")
            .Asks((server, _, cancellation) => server.GetAsync<List<MachineView>>("machines", cancellation), List),
        Show(),
        Approve(),
        BootOnce(),
        Wake(),
        Remove(),
        CertificateCommand.Create(),
    };

    private static Command Show()
    {
        var machine = Machine();
        return new Command("show", "Show what is known of one machine.") { machine }
            .Asks((server, parsed, cancellation) => server.GetAsync<MachineView>(Path(parsed, machine), cancellation), Details);
    }

    private static Command Approve()
    {
        var mac = new Argument<string>("MAC") { Description = "Its MAC address, seen or not yet" };
        var name = new Option<string>("--name") { Description = "What to call it: lower-case letters, digits, '-' and '.'", Required = true };
        var image = new Option<string?>("--image") { Description = "Clone this image (name or name@version) for it" };
        var volume = new Option<string?>("--volume") { Description = "Or give it this volume: a name in the store, or a file's absolute path" };
        var policy = new Option<string?>("--policy") { Description = "Of the clone; keep: writes stay, reset: each boot begins with a fresh overlay" };
        policy.AcceptOnlyFromAmong("keep", "reset");
        var firmware = new Option<string?>("--firmware") { Description = "uboot, ibft, or detect, which is the default" };
        firmware.AcceptOnlyFromAmong("uboot", "ibft", "detect");
        var profile = new Option<string?>("--profile") { Description = "What it boots: sanboot (the default), direct, local, or a profile of the site" };
        var address = new Option<string?>("--address") { Description = "Reserve this address for it" };
        var command = new Command("approve", "Approve a machine: from its next request on it boots from a disk of its own.") { mac, name, image, volume, policy, profile, firmware, address };
        command.Validators.Add(parsed =>
        {
            // What a validator finds keeps the parser from saying what else is missing.
            if (parsed.GetResult(name) is null) parsed.AddError("Give it a name: --name NAME.");
            if (parsed.GetResult(image) is null == parsed.GetResult(volume) is null) parsed.AddError("Give it a disk: either --image IMAGE, which is cloned for it (slipway image list), or --volume VOLUME (slipway volume list).");
            if (parsed.GetResult(policy) is not null && parsed.GetResult(image) is null) parsed.AddError("--policy is for clones: it goes with --image.");
        });
        return command.Asks((server, parsed, cancellation) => server.PostAsync<MachineView>(
            Path(parsed, mac) + "/approval",
            new ApprovalRequest(parsed.GetRequiredValue(name), parsed.GetValue(volume), parsed.GetValue(image), parsed.GetValue(policy), parsed.GetValue(firmware), parsed.GetValue(address), parsed.GetValue(profile)),
            cancellation), m => $"{m.Name} ({m.Mac}) boots from {m.Volume}");
    }

    private static Command BootOnce()
    {
        var machine = Machine();
        var profile = new Argument<string?>("PROFILE") { Description = "What it boots next time: sanboot, direct, local, or a profile of the site", Arity = ArgumentArity.ZeroOrOne };
        var cancel = new Option<bool>("--cancel") { Description = "Take back what was asked for" };
        var command = new Command("boot-once", "Say what a machine's next boot is; the one after it is as before.") { machine, profile, cancel };
        command.Validators.Add(parsed =>
        {
            if (parsed.GetResult(profile)?.Tokens.Count > 0 == parsed.GetValue(cancel)) parsed.AddError("Give either a profile or --cancel.");
        });
        return command.Asks((server, parsed, cancellation) => server.PostAsync<MachineView>(Path(parsed, machine) + "/boot-once", new BootOnceRequest(parsed.GetValue(profile)), cancellation),
            m => m.BootOnce is { } next ? $"{m.Name}: its next boot is {next}, then {m.Profile} again" : $"{m.Name}: its next boot is {m.Profile}");
    }

    private static Command Wake()
    {
        var machine = Machine();
        return new Command("wake", "Send a machine the packet that switches it on (wake-on-LAN).") { machine }.Asks(
            (server, parsed, cancellation) => server.PostAsync<WakeView>(Path(parsed, machine) + "/wake", null, cancellation),
            w => $"sent to {string.Join(", ", w.SentTo)}");
    }

    private static Command Remove()
    {
        var machine = Machine();
        var command = new Command("remove", "Forget a machine and its secrets, and end its sessions. Its volume stays.") { machine };
        // As images and volumes have it.
        command.Aliases.Add("rm");
        return command.Asks((server, parsed, cancellation) => server.DeleteAsync(Path(parsed, machine), cancellation));
    }

    private static Argument<string> Machine() => new("MACHINE") { Description = "Its name or its MAC address" };

    private static string Path(ParseResult parsed, Argument<string> machine) => $"machines/{Uri.EscapeDataString(parsed.GetRequiredValue(machine))}";

    private static string List(List<MachineView> machines) => machines.Count == 0 ? "" : TextTable.Of(
        ["NAME", "MAC", "STATE", "ADDRESS", "ARCHITECTURE", "BOOT", "LAST SEEN"],
        machines.Select(m => (IReadOnlyList<string?>)[m.Name, m.Mac, m.State, m.Address ?? m.Reserved, m.Architecture,
            m.Stage is null ? null : m.Outcome == "running" ? m.Stage : $"{m.Stage}, {m.Outcome}".Replace("up, up", "up", StringComparison.Ordinal),
            m.LastSeen?.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", null)]));

    private static string Details(MachineView m) => string.Join('\n', new (string Key, string? Value)[]
    {
        ("name", m.Name), ("mac", m.Mac), ("state", m.State), ("approved by", m.ApprovedBy), ("approved at", m.ApprovedAt?.ToString("u")),
        ("volume", m.Volume), ("profile", m.Profile), ("next boot", m.BootOnce), ("firmware", m.Firmware), ("reserved address", m.Reserved), ("address", m.Address), ("network", m.Network), ("relay", m.Relay),
        ("uuid", m.Uuid?.ToString()), ("architecture", m.Architecture), ("says it is", m.Vendor), ("first seen", m.FirstSeen?.ToString("u")),
        ("last seen", m.LastSeen?.ToString("u")), ("boot", m.Stage is null ? null : $"{m.Stage} ({m.Outcome})"),
    }.Where(line => line.Value is not null).Select(line => $"{line.Key + ":",-18}{line.Value}"));
}
