using Slipway.Iscsi.Chap;
using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Text;

namespace Slipway.Iscsi.Target.Login;

/// <summary>SecurityNegotiation (RFC 7143 §6.3.2): which method, and the method's own exchange.</summary>
/// <param name="isOptional">Who does not offer CHAP goes on without.</param>
internal sealed class SecurityStage(IReadOnlyList<ChapPolicy> policies, bool isOptional, Randomness randomness)
{
    private const string Chap = "CHAP";
    private readonly ChapAuthentication? _chap = policies.Count == 0 ? null : new ChapAuthentication(policies, randomness);
    private string? _method;

    public ChapAlgorithm? Algorithm => _chap is { IsProved: true } ? _chap.Algorithm : null;

    public bool IsMutual => _chap is { IsMutual: true };

    /// <summary>Whom CHAP has proved the initiator to be.</summary>
    public string? ProvedName => _chap?.ProvedName;

    /// <summary>The initiator has proved all that it must.</summary>
    public bool IsSatisfied => _chap is null || _chap.IsProved || (isOptional && _method != Chap);

    public LoginRefusal? Handle(TextKeys request, TextKeys answer)
    {
        if (request.Take(Keys.AuthMethod) is { } offered)
        {
            if (_method is not null)
                return LoginRefusal.Protocol("AuthMethod was negotiated twice");
            var methods = offered.Split(',');
            var wanted = _chap is null || (isOptional && !methods.Contains(Chap)) ? TextValues.None : Chap;
            if (!methods.Contains(wanted))
            {
                answer.Add(Keys.AuthMethod, TextValues.Reject);
                return new(LoginStatus.AuthenticationFailure, RefusalKind.ChapRequired, _chap is null
                    ? $"the initiator wants AuthMethod {offered}, and no CHAP secret is set here"
                    : $"CHAP is required, and the initiator offers AuthMethod {offered}");
            }
            answer.Add(Keys.AuthMethod, _method = wanted);
        }
        // RFC 7143 §12.1: the method's keys come only after the method was agreed.
        return _method == Chap ? _chap!.Handle(request, answer) : null;
    }

    /// <summary>The initiator wants to leave the stage, or never entered it, with nothing proved.</summary>
    public static LoginRefusal Unproved { get; } =
        new(LoginStatus.AuthenticationFailure, RefusalKind.ChapRequired, "CHAP is required, and the initiator tried to log in without it");

    /// <summary>True while the exchange goes on and the initiator's wish to leave is answered with T=0.</summary>
    public bool IsUnderWay => _method == Chap && !IsSatisfied;
}
