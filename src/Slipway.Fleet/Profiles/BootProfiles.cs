using System.Collections.Frozen;

namespace Slipway.Fleet.Profiles;

/// <summary>The profiles of a site: its own, and those of one kind that need no word of explanation, named after it.</summary>
public sealed class BootProfiles
{
    /// <summary>What a machine boots where nothing else is said.</summary>
    public const string Default = SanBootProfile.Word;

    /// <summary>Those that every site has.</summary>
    public static readonly IReadOnlyList<BootProfile> BuiltIn =
    [
        new SanBootProfile { Name = SanBootProfile.Word, Title = "Boot from this machine's disk" },
        new DirectProfile { Name = DirectProfile.Word, Title = "Boot the kernel in this machine's disk" },
        new LocalProfile { Name = LocalProfile.Word, Title = "Boot what is in the machine itself" },
    ];

    private readonly FrozenDictionary<string, BootProfile> _byName;

    /// <param name="own">Profiles with names of their own.</param>
    public BootProfiles(IEnumerable<BootProfile> own) => _byName = BuiltIn.Concat(own).ToFrozenDictionary(p => p.Name);

    public IReadOnlyList<BootProfile> All => [.. _byName.Values.OrderBy(p => p.Name, StringComparer.Ordinal)];

    public BootProfile? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>Names, for a message that says what there is.</summary>
    public string Names => string.Join(", ", All.Select(p => p.Name));
}
