namespace Slipway.Server.Boot;

/// <summary>
/// What a machine and its disk are called in iSCSI (RFC 7143 §4.2.7.2). The naming authority is the product's own, under
/// a domain that is reserved for private use, so that no site needs one.
/// </summary>
public sealed record IscsiNames(string Target, string Initiator)
{
    private const string Authority = "iqn.2026-11.internal.slipway";

    public static IscsiNames Of(string site, string machine) =>
        new($"{Authority}:{site}:{machine}", $"{Authority}:{site}:{machine}:initiator");
}
