using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text;
using Slipway.Iscsi.Chap;

namespace Slipway.Commands.Targets;

/// <summary>What initiator and target have to prove to each other; secrets come from files, never from the command line.</summary>
internal static class ChapOptions
{
    private static readonly Option<string> User = Name("--chap-user", "The name that an initiator must prove");
    private static readonly Option<FileInfo> Secret = new("--chap-secret-file") { Description = "A file with that name's secret, 12 to 255 bytes" };
    private static readonly Option<string> ReverseUser = Name("--reverse-user", "The name that the target proves to the initiator");
    private static readonly Option<FileInfo> ReverseSecret = new("--reverse-secret-file") { Description = "A file with that name's secret, another one" };

    public static IReadOnlyList<Option> All { get; } = [User, Secret, ReverseUser, ReverseSecret];

    /// <summary>Names and secrets' files come in pairs.</summary>
    public static void Check(CommandResult given)
    {
        foreach (var (user, secret) in ((Option, Option)[])[(User, Secret), (ReverseUser, ReverseSecret)])
        {
            if (given.GetResult(user) is null != given.GetResult(secret) is null) given.AddError($"{user.Name} and {secret.Name} go together");
        }
        if (given.GetResult(ReverseUser) is not null && given.GetResult(User) is null)
            given.AddError($"{ReverseUser.Name} needs {User.Name}: initiators ask for the target's proof only after their own");
    }

    /// <summary>Null where nobody has to prove anything.</summary>
    /// <exception cref="IOException">A file cannot be read, or has a secret that CHAP must not have.</exception>
    public static ChapPolicy? Policy(ParseResult parsed)
    {
        var initiator = Account(parsed, User, Secret);
        var target = Account(parsed, ReverseUser, ReverseSecret);
        if (initiator is not null && target?.Secret == initiator.Secret)
            throw new IOException($"{Secret.Name} and {ReverseSecret.Name} hold the same: the two directions of CHAP need two secrets");
        return initiator is null ? null : new ChapPolicy(initiator, target);
    }

    private static ChapAccount? Account(ParseResult parsed, Option<string> user, Option<FileInfo> secret)
    {
        if (parsed.GetValue(user) is not { } name || parsed.GetValue(secret) is not { } file)
            return null;
        // Editors end the last line; the line's end is no part of the secret.
        var text = File.ReadAllText(file.FullName).TrimEnd('\r', '\n');
        var length = Encoding.UTF8.GetByteCount(text);
        return length is < ChapAccount.MinSecretBytes or > ChapAccount.MaxSecretBytes
            ? throw new IOException($"{file}: a CHAP secret has {ChapAccount.MinSecretBytes} to {ChapAccount.MaxSecretBytes} bytes; this one has {length}")
            : new ChapAccount(name, text);
    }

    private static Option<string> Name(string option, string description) => new(option)
    {
        Description = description,
        CustomParser = result =>
        {
            var name = result.Tokens[0].Value;
            if (Encoding.UTF8.GetByteCount(name) is 0 or > ChapAccount.MaxNameBytes) result.AddError($"{option}: a CHAP name has 1 to {ChapAccount.MaxNameBytes} bytes");
            return name;
        },
    };
}
