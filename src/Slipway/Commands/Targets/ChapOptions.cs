using System.CommandLine;
using Slipway.Iscsi.Chap;

namespace Slipway.Commands.Targets;

/// <summary>What initiator and target have to prove to each other; secrets come from files, never from the command line.</summary>
internal static class ChapOptions
{
    private static readonly Option<string> User = new("--chap-user") { Description = "The name that an initiator must prove" };
    private static readonly Option<FileInfo> Secret = new("--chap-secret-file") { Description = "A file with that name's secret, 12 to 255 bytes" };
    private static readonly Option<string> ReverseUser = new("--reverse-user") { Description = "The name that the target proves to the initiator" };
    private static readonly Option<FileInfo> ReverseSecret = new("--reverse-secret-file") { Description = "A file with that name's secret, another one" };

    public static IReadOnlyList<Option> All { get; } = [User, Secret, ReverseUser, ReverseSecret];

    /// <summary>Null where nobody has to prove anything.</summary>
    /// <exception cref="ArgumentException">Half of a pair, or secrets that CHAP must not have.</exception>
    public static ChapPolicy? Policy(ParseResult parsed)
    {
        var initiator = Account(parsed, User, Secret);
        var target = Account(parsed, ReverseUser, ReverseSecret);
        if (initiator is null && target is not null)
            throw new ArgumentException("--reverse-user needs --chap-user: initiators ask for the target's proof only after their own");
        return initiator is null ? null : new ChapPolicy(initiator, target);
    }

    private static ChapAccount? Account(ParseResult parsed, Option<string> user, Option<FileInfo> secret)
    {
        var (name, file) = (parsed.GetValue(user), parsed.GetValue(secret));
        if (name is null && file is null)
            return null;
        if (name is null || file is null)
            throw new ArgumentException($"{user.Name} and {secret.Name} go together");
        // Editors end the last line; the line's end is no part of the secret.
        return new ChapAccount(name, File.ReadAllText(file.FullName).TrimEnd('\r', '\n'));
    }
}
