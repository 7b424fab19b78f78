namespace Slipway.Fleet.Profiles;

/// <summary>What a machine boots, and how. The kinds are the derived records.</summary>
public abstract record BootProfile
{
    /// <summary>Good as an iPXE label and as a part of a URL: lower-case letters, digits, <c>-</c> and <c>.</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What a menu calls it; its name where null.</summary>
    public string? Title { get; init; }

    /// <summary>The word for its kind in files and in the API.</summary>
    public abstract string Kind { get; }
}

/// <summary>From the machine's disk, by the boot loader that is on it.</summary>
public sealed record SanBootProfile : BootProfile
{
    public const string Word = "sanboot";

    public override string Kind => Word;
}

/// <summary>
/// The kernel in the machine's disk without the boot loader: the server reads it, the initial RAM disk and the arguments
/// out of the volume at each boot.
/// </summary>
public sealed record DirectProfile : BootProfile
{
    public const string Word = "direct";

    public override string Kind => Word;

    /// <summary>A path in the volume; null: what the boot loader's configuration there names.</summary>
    public string? Kernel { get; init; }

    /// <summary>Paths in the volume, with <see cref="Kernel"/> only.</summary>
    public IReadOnlyList<string> Initrds { get; init; } = [];

    /// <summary>Kernel arguments after those that were found.</summary>
    public string Arguments { get; init; } = "";
}

/// <summary>A question on the machine's screen.</summary>
public sealed record MenuProfile : BootProfile
{
    public const string Word = "menu";

    public override string Kind => Word;

    /// <summary>Names of profiles, in the order on the screen.</summary>
    public required IReadOnlyList<string> Entries { get; init; }

    /// <summary>One of <see cref="Entries"/>.</summary>
    public required string Default { get; init; }

    /// <summary>After which the default is booted; null: it waits.</summary>
    public TimeSpan? Timeout { get; init; }
}

/// <summary>An operator's own iPXE script. The machine's names and secrets are settings in it (<see cref="ScriptSettings"/>).</summary>
public sealed record ScriptProfile : BootProfile
{
    public const string Word = "script";

    public override string Kind => Word;

    public required string Script { get; init; }
}

/// <summary>Not from the network: BIOS boots its first disk, UEFI goes on to its next boot entry.</summary>
public sealed record LocalProfile : BootProfile
{
    public const string Word = "local";

    public override string Kind => Word;
}
