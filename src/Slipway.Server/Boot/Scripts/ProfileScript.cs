using System.Globalization;
using Slipway.Disks.Booting;
using Slipway.Fleet.Machines;
using Slipway.Fleet.Profiles;
using Slipway.Ipxe.Scripts;
using Slipway.Server.Site;

namespace Slipway.Server.Boot.Scripts;

/// <summary>
/// The script of each kind of profile. Those that lead to the disk begin alike: with who the machine is to the target, and
/// both secrets. A menu has none of that: what is chosen is asked for then, so that nobody can be too slow for it.
/// </summary>
internal static class ProfileScript
{
    private const string Failed = "failed";

    /// <summary>The disk's own boot loader.</summary>
    public static IpxeScript SanBoot(ScriptFacts facts) => Credentials(facts, $"Slipway: {facts.Machine.Name} boots from its disk.")
        // Without an ACPI table protocol describing the disk fails, and under U-Boot a second sanboot fails always.
        .Attach(facts, Failed, (script, disks) => script.SanBoot(disks, new SanBootOptions(NoDescribe: !facts.HasIbft), Failed))
        .Label(Failed)
        .Echo($"Slipway: {facts.Machine.Name} could not boot from {facts.Names.Target}. The line above says why; the server's timeline says more.")
        .Exit(1);

    /// <summary>The kernel in the disk. Where there is an iBFT iPXE attaches the disk, to leave one; else the arguments tell of it.</summary>
    /// <exception cref="ArgumentException">A script cannot say the kernel's arguments.</exception>
    public static IpxeScript Direct(ScriptFacts facts, DirectProfile profile, BootFiles files)
    {
        var script = Credentials(facts, $"Slipway: {facts.Machine.Name} boots {files.Kernel.Path} in its disk, by {files.Source}.").FreeImages();
        if (facts.HasIbft)
            script.Attach(facts, Failed, (s, disks) => s.SanHook(disks, new SanBootOptions(), Failed));
        // Kernels of before 5.7 know their RAM disk by name only (Linux, Documentation/admin-guide/efi-stub.rst).
        var initrds = files.Initrds.Select((_, i) => $"initrd={InitrdName(i)}");
        var arguments = string.Join(' ', ((string[])[files.Arguments, profile.Arguments, facts.KernelArguments, .. initrds]).Where(a => a.Length > 0));
        script.Kernel(FileUrl(facts, profile, KernelName), IpxeText.Plain(arguments), Failed);
        for (var i = 0; i < files.Initrds.Count; i++)
            script.Initrd(FileUrl(facts, profile, InitrdName(i)), InitrdName(i), Failed);
        return script
            .Boot(Failed)
            .Label(Failed)
            .Echo($"Slipway: {facts.Machine.Name} could not start {KernelName} of its disk. The line above says why.")
            .Exit(1);
    }

    /// <summary>The operator's own, after settings with what it may need.</summary>
    public static IpxeScript Custom(ScriptFacts facts, ScriptProfile profile)
    {
        var script = Credentials(facts, $"Slipway: {facts.Machine.Name} runs the script of the profile {profile.Name}.")
            .FreeImages()
            .Set(ScriptSettings.Machine, facts.Machine.Name);
        foreach (var (index, (portal, disk)) in facts.Portals.Zip(facts.Disks).Index())
            StorageScript.UnlessLost(script, portal, () => script.SetText(ScriptSettings.DiskBy(index), disk));
        return script
            .Set(ScriptSettings.Server, facts.Server.AbsoluteUri)
            .Set(ScriptSettings.Firmware, facts.Firmware.Name())
            .SetText(ScriptSettings.KernelArguments, facts.KernelArguments)
            .Verbatim(profile.Script);
    }

    public static IpxeScript Menu(MachineSettings machine, MachineFirmware firmware, MenuProfile menu, BootProfiles profiles)
    {
        const string Chosen = "slipway-chosen";
        var script = new IpxeScript()
            .Comment($"Slipway: {machine.Name} is asked what to boot.")
            .Label("menu")
            .Menu(menu.Title ?? $"Slipway: {machine.Name}");
        foreach (var profile in menu.Entries.Select(e => profiles.Find(e)!))
            script.Item(profile.Name, profile.Title ?? profile.Name);
        var url = IpxeText.Plain($"/{FirstStageScript.Path}{machine.Mac.ToHyphenated()}/{firmware.Name()}/") + IpxeScript.Setting(Chosen);
        return script
            .Choose(Chosen, menu.Default, menu.Timeout, onFailure: "menu")
            .Chain(url, replace: true, onFailure: "again")
            .Label("again")
            .Comment("The lease may have ended meanwhile: the server knows a machine without a certificate by its address.")
            .Dhcp(onFailure: Failed)
            .Chain(url, replace: true, onFailure: Failed)
            .Label(Failed)
            .Echo("Slipway: " + IpxeScript.Setting(Chosen) + " could not be booted. The lines above say why.")
            .Exit(1);
    }

    /// <summary>
    /// A BIOS goes on to its disk less surely than iPXE starts it. UEFI goes on to its next boot entry only where a program
    /// failed (UEFI §3.1.1); boot media are told apart by the setting, so that they do not take it for a failure.
    /// </summary>
    public static IpxeScript Local(MachineSettings machine) => new IpxeScript()
        .Comment($"Slipway: {machine.Name} boots what is in it.")
        .GotoIfEqual(IpxeScript.Setting("platform"), IpxeText.Plain("pcbios"), "bios")
        .Set(FirstStageScript.LocalSetting, 1)
        .Exit(1)
        .Label("bios")
        .SanBoot([], new SanBootOptions(Drive: 0x80, NoDescribe: true), Failed)
        .Label(Failed)
        .Echo($"Slipway: {machine.Name} has no disk of its own that boots.")
        .Exit(1);

    /// <summary>The file that a direct boot's URL names; null where there is none.</summary>
    public static BootFile? FileOf(BootFiles files, string name) =>
        name == KernelName ? files.Kernel : files.Initrds.Where((_, i) => InitrdName(i) == name).FirstOrDefault();

    private const string KernelName = "kernel";

    private static string InitrdName(int index) => string.Create(CultureInfo.InvariantCulture, $"initrd{index}");

    private static Uri FileUrl(ScriptFacts facts, DirectProfile profile, string name) =>
        new(facts.Server, $"{FirstStageScript.Path}{facts.Machine.Mac.ToHyphenated()}/{BootRequests.DirectFiles}/{profile.Name}/{name}");

    private static IpxeScript Credentials(ScriptFacts facts, string comment) => new IpxeScript()
        .Comment(comment)
        .Set("initiator-iqn", facts.Names.Initiator)
        .Set("username", facts.Credentials.User)
        .Set("password", facts.Credentials.Secret)
        .Set("reverse-username", facts.Credentials.ReverseUser)
        .Set("reverse-password", facts.Credentials.ReverseSecret)
        .Reach(facts.Portals);
}
