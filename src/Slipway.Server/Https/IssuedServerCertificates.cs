using System.Net;

namespace Slipway.Server.Https;

/// <summary>Leaves from the site's own authority: good for 90 days, made anew at each start, and 30 days before their end.</summary>
internal sealed class IssuedServerCertificates(SiteAuthority authority, IReadOnlyCollection<IPAddress> addresses, string hostName, TimeProvider clock)
    : ICertificateSource
{
    /// <summary>How long a leaf is good, counted from when it is made.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(90);

    /// <summary>How long before its end a leaf is replaced.</summary>
    public static readonly TimeSpan RenewedBefore = TimeSpan.FromDays(30);

    private DateTimeOffset _renewAt = DateTimeOffset.MinValue;

    public byte[] RootFingerprint => authority.Fingerprint;

    public ServerContexts Issue()
    {
        var now = clock.GetUtcNow();
        var contexts = authority.Issuer.CreateServerContexts(addresses, hostName, now + Lifetime);
        _renewAt = RenewalOf(contexts, now);
        return contexts;
    }

    public bool IsDue(ServerContexts current) => clock.GetUtcNow() >= _renewAt;

    // An authority in its last month gives no longer ones: then once a day, not at every handshake.
    internal static DateTimeOffset RenewalOf(ServerContexts contexts, DateTimeOffset now)
    {
        var (due, tomorrow) = (new DateTimeOffset(contexts.Leaf.NotAfter) - RenewedBefore, now.AddDays(1));
        return due > tomorrow ? due : tomorrow;
    }
}
