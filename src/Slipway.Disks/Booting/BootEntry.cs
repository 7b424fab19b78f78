namespace Slipway.Disks.Booting;

/// <summary>What a boot loader's configuration says of one system: its files, as paths, and the kernel's arguments.</summary>
/// <param name="Name">What the configuration's default can name it by: an id or a title.</param>
/// <param name="Initrds">In the order in which the kernel gets them.</param>
public sealed record BootEntry(string Name, string Kernel, IReadOnlyList<string> Initrds, string Arguments);
