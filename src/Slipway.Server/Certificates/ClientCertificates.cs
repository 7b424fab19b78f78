using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Fleet.Credentials;
using Slipway.Fleet.Store;
using Slipway.Server.Api;
using Slipway.Server.Https;
using Slipway.Server.Site;

namespace Slipway.Server.Certificates;

/// <summary>
/// The certificates by which machines prove who they are: issued by the site's own authority, listed in its database. A
/// certificate that is not listed is none, whoever signed it; so a machine that was removed cannot come back with its own.
/// </summary>
internal sealed class ClientCertificates(SiteAuthority authority, FleetStore store, ClientCertificateUse use, TimeProvider clock)
{
    /// <summary>How long a certificate is good where nothing else is said: media are not rewritten every year.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(5 * 365);

    /// <summary>Whether clients are asked for one at all.</summary>
    public bool AreAskedFor => use != ClientCertificateUse.Off;

    /// <summary>Issues a certificate with a new key.</summary>
    /// <param name="approval">What a machine becomes that shows it and is not known; null for a machine that is there.</param>
    public IssuedClientCertificate Issue(string machine, TimeSpan lifetime, ApprovalRequest? approval)
    {
        var issued = authority.CreateClientCertificate(machine, lifetime, clock);
        store.Add(new ClientCertificate(issued.Serial, machine, clock.GetUtcNow(), issued.Ends, Approval: approval is null ? null : JsonSerializer.Serialize(approval, StoredApprovalJson.Default.ApprovalRequest)));
        return issued;
    }

    public IReadOnlyList<ClientCertificate> All() => store.ClientCertificates();

    /// <summary>From now on it is refused, as it may be already; the certificate as it then is, null where there is none of that serial.</summary>
    public ClientCertificate? Revoke(string serial)
    {
        store.Revoke(serial.ToUpperInvariant(), clock.GetUtcNow());
        return store.ClientCertificate(serial.ToUpperInvariant());
    }

    /// <summary>Certificates by which a machine may boot now.</summary>
    public IReadOnlyList<ClientCertificate> GoodOf(string machine) =>
        [.. store.ClientCertificatesOf(machine).Where(c => c.Revoked is null && c.Ends > clock.GetUtcNow())];

    /// <summary>
    /// Whether a machine gets nothing without its certificate: because the site's file says so, or because a certificate
    /// is what it was approved by, which its MAC address must not undo.
    /// </summary>
    public bool AreRequiredOf(MachineSettings machine) =>
        use == ClientCertificateUse.Required || machine.NeedsClientCertificate
        || (AreAskedFor && store.ClientCertificatesOf(machine.Name).Any(c => c.Approval is not null));

    /// <summary>Whose certificate was shown, and whether it counts.</summary>
    public ClientProof Examine(X509Certificate2? shown)
    {
        if (shown is null || !AreAskedFor)
            return ClientProof.None;
        var known = store.ClientCertificate(shown.SerialNumber);
        var name = $"the client certificate {shown.SerialNumber} ({shown.Subject})";
        var now = clock.GetUtcNow();
        if (authority.ReasonAgainst(shown, now) is { } reason)
            return ClientProof.Refused($"{name} {reason}");
        return known switch
        {
            null => ClientProof.Refused($"{name} is not listed here: its machine was removed, or the database is not the one that it was issued with"),
            { Revoked: { } at } => ClientProof.Refused($"{name} of {known.Machine} was revoked at {at:u}"),
            _ => new ClientProof(known, null),
        };
    }

    public static ApprovalRequest? ApprovalOf(ClientCertificate certificate) =>
        certificate.Approval is { } text ? JsonSerializer.Deserialize(text, StoredApprovalJson.Default.ApprovalRequest) : null;
}

/// <summary>An approval as the database keeps it.</summary>
[JsonSerializable(typeof(ApprovalRequest))]
internal sealed partial class StoredApprovalJson : JsonSerializerContext;

/// <summary>What a client proved by its certificate.</summary>
/// <param name="Certificate">The one that counts; null where there was none, or it was refused.</param>
/// <param name="Refusal">Why the certificate that was shown does not count.</param>
internal readonly record struct ClientProof(ClientCertificate? Certificate, string? Refusal)
{
    public static ClientProof None => default;

    public static ClientProof Refused(string reason) => new(null, reason);
}

/// <summary>A certificate and its key, for whoever asked for it.</summary>
internal sealed record IssuedClientCertificate(string Serial, DateTimeOffset Ends, string CertificatePem, string KeyPem);
