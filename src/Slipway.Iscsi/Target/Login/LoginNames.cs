using System.Text;
using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Text;

namespace Slipway.Iscsi.Target.Login;

/// <summary>Who logs in, and to what: the keys that the first request must carry (RFC 7143 §6.3).</summary>
internal sealed record LoginNames(string Initiator, string? Target, SessionType SessionType, string? Alias)
{
    public static LoginRefusal? TryTake(TextKeys request, out LoginNames names)
    {
        var initiator = request.Take(Keys.InitiatorName);
        var target = request.Take(Keys.TargetName);
        var type = request.Take(Keys.SessionType);
        var alias = request[Keys.InitiatorAlias];
        names = new(initiator ?? "", target, type == "Discovery" ? SessionType.Discovery : SessionType.Normal, alias);
        if (initiator is null)
            return LoginRefusal.Protocol("the first login request has no InitiatorName", LoginStatus.MissingParameter);
        if (!IscsiName.IsValid(initiator))
            return LoginRefusal.Protocol("InitiatorName is not an iSCSI name");
        if (type is not (null or "Normal" or "Discovery"))
            return LoginRefusal.Protocol("SessionType is neither Normal nor Discovery", LoginStatus.SessionTypeNotSupported);
        if (names.SessionType == SessionType.Normal && target is null)
            return LoginRefusal.Protocol("the first login request of a normal session has no TargetName", LoginStatus.MissingParameter);
        if (target is not null && !IscsiName.IsValid(target))
            return LoginRefusal.Protocol("TargetName is not an iSCSI name", LoginStatus.NotFound);
        if (alias is not null && (Encoding.UTF8.GetByteCount(alias) > 255 || alias.Any(char.IsControl)))
            names = names with { Alias = null };
        return null;
    }

    /// <summary>What a later request says again must be the same: a login is for one session (§6.3).</summary>
    public static LoginRefusal? CheckRepeated(TextKeys request, LoginFacts facts)
    {
        var type = facts.SessionType == SessionType.Discovery ? "Discovery" : "Normal";
        foreach (var (key, first) in (ReadOnlySpan<(string, string?)>)[(Keys.InitiatorName, facts.InitiatorName), (Keys.TargetName, facts.TargetName), (Keys.SessionType, type)])
        {
            if (request.Take(key) is { } again && again != first)
                return LoginRefusal.Protocol($"{key} changed during the login");
        }
        return null;
    }
}
