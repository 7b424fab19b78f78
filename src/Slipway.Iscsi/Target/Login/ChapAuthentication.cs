using System.Security.Cryptography;
using Slipway.Iscsi.Chap;
using Slipway.Iscsi.Text;

namespace Slipway.Iscsi.Target.Login;

/// <summary>
/// CHAP, the target's part (RFC 7143 §12.1.3): the algorithm and our challenge; then the initiator's response, and where
/// it asks for it, our own proof. A request that carries the keys of the wrong step ends the login.
/// </summary>
internal sealed class ChapAuthentication(IReadOnlyList<ChapPolicy> policies, Randomness randomness)
{
    private byte _identifier;
    private byte[] _challenge = [];

    public ChapAlgorithm? Algorithm { get; private set; }

    /// <summary>Null until the initiator has proved itself.</summary>
    public string? ProvedName { get; private set; }

    public bool IsProved => ProvedName is not null;

    public bool IsMutual { get; private set; }

    public LoginRefusal? Handle(TextKeys request, TextKeys answer)
    {
        if (IsProved)
            return null;
        return Algorithm is null ? Challenge(request, answer) : Verify(request, answer);
    }

    private LoginRefusal? Challenge(TextKeys request, TextKeys answer)
    {
        if (request.Take(Keys.ChapAlgorithm) is not { } offered)
            return null;
        Algorithm = Choose(offered);
        if (Algorithm is not { } algorithm)
        {
            answer.Add(Keys.ChapAlgorithm, TextValues.Reject);
            return new(Pdu.LoginStatus.AuthenticationFailure, RefusalKind.ChapRequired, $"none of the CHAP algorithms {offered} is supported");
        }
        Span<byte> identifier = stackalloc byte[1];
        randomness(identifier);
        _identifier = identifier[0];
        _challenge = new byte[ChapHash.Size(algorithm)];
        randomness(_challenge);
        answer.Add(Keys.ChapAlgorithm, TextValues.Number((uint)algorithm));
        answer.Add(Keys.ChapIdentifier, TextValues.Number(_identifier));
        answer.Add(Keys.ChapChallenge, TextValues.Binary(_challenge));
        return null;
    }

    private LoginRefusal? Verify(TextKeys request, TextKeys answer)
    {
        var name = request.Take(Keys.ChapName);
        var response = request.Take(Keys.ChapResponse);
        var identifier = request.Take(Keys.ChapIdentifier);
        var challenge = request.Take(Keys.ChapChallenge);
        if (name is null || response is null)
            return LoginRefusal.Protocol("the answer to the CHAP challenge has no CHAP_N or no CHAP_R", Pdu.LoginStatus.MissingParameter);
        if (!TextValues.TryParseBinary(response, ChapHash.MaxBinaryLength, out var proof))
            return LoginRefusal.Protocol("CHAP_R is no binary value");
        var named = policies.FirstOrDefault(p => string.Equals(name, p.Initiator.Name, StringComparison.Ordinal));
        var policy = named ?? policies[0];
        var expected = ChapHash.Respond(Algorithm!.Value, _identifier, policy.Initiator.Secret, _challenge);
        // Both are looked at whatever the other says: time must not tell which was wrong.
        var secretFits = CryptographicOperations.FixedTimeEquals(proof, expected);
        if (named is null)
            return new(Pdu.LoginStatus.AuthenticationFailure, RefusalKind.WrongName, $"CHAP name \"{Printable(name)}\", expected {(policies.Count == 1 ? $"\"{policy.Initiator.Name}\"" : $"one of {policies.Count} others")}");
        if (!secretFits)
            return new(Pdu.LoginStatus.AuthenticationFailure, RefusalKind.WrongSecret, $"wrong CHAP secret of \"{policy.Initiator.Name}\"");
        if (Prove(policy, identifier, challenge, answer) is { } refusal)
            return refusal;
        ProvedName = name;
        return null;
    }

    private LoginRefusal? Prove(ChapPolicy policy, string? identifier, string? challenge, TextKeys answer)
    {
        if (identifier is null && challenge is null)
        {
            return policy.Target is null
                ? null
                : new(Pdu.LoginStatus.AuthenticationFailure, RefusalKind.ChapRequired, "mutual CHAP is required, and the initiator asked for no proof of the target");
        }
        if (policy.Target is not { } account)
            return new(Pdu.LoginStatus.AuthenticationFailure, RefusalKind.ChapRequired, "the initiator asked for the target's proof, and no reverse secret is set");
        if (!TextValues.TryParseNumber(identifier ?? "", out var id) || id > byte.MaxValue)
            return LoginRefusal.Protocol("CHAP_I is not a number from 0 to 255");
        if (!TextValues.TryParseBinary(challenge ?? "", ChapHash.MaxBinaryLength, out var theirs))
            return LoginRefusal.Protocol("CHAP_C is no binary value of 1 to 1024 bytes");
        // RFC 7143 §12.1.4: our own challenge sent back would make us compute the answer to it.
        if (CryptographicOperations.FixedTimeEquals(theirs, _challenge))
            return new(Pdu.LoginStatus.AuthenticationFailure, RefusalKind.WrongSecret, "the initiator sent the target's own CHAP challenge back");
        answer.Add(Keys.ChapName, account.Name);
        answer.Add(Keys.ChapResponse, TextValues.Binary(ChapHash.Respond(Algorithm!.Value, (byte)id, account.Secret, theirs)));
        IsMutual = true;
        return null;
    }

    private static ChapAlgorithm? Choose(string offered)
    {
        foreach (var item in offered.Split(','))
        {
            if (TextValues.TryParseNumber(item, out var number) && number <= byte.MaxValue && ChapHash.IsSupported((ChapAlgorithm)number))
                return (ChapAlgorithm)number;
        }
        return null;
    }

    private static string Printable(string text) => string.Concat(text.Take(64).Select(c => char.IsControl(c) ? '?' : c));
}
