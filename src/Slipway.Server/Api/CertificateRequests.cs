using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Slipway.Fleet.Credentials;
using Slipway.Server.Certificates;
using Slipway.Server.Machines;
using Slipway.Server.Site;

namespace Slipway.Server.Api;

/// <summary>What the API is asked for about client certificates.</summary>
internal sealed class CertificateRequests(ClientCertificates certificates, MachineDirectory machines, MachineRegistry registry)
{
    public IReadOnlyList<CertificateView> All() => [.. certificates.All().Select(CertificateView.Of)];

    public Results<Ok<IssuedCertificateView>, ProblemHttpResult> Issue(ClientCertificateRequest request)
    {
        var name = request.Machine.Name;
        try
        {
            if (!certificates.AreAskedFor)
                return Refused("nobody is asked for a certificate: set https.client-certificates to optional or required in the site's file, and start the server anew");
            if (!SiteName.IsValid(name))
                return Refused($"'{name}' is no name for a machine: {SiteName.Rule}");
            if (request.Days is < 1 or > 7300)
                return Refused($"{request.Days} days is not between 1 and 7300");
            var approves = request.Machine.Image is not null || request.Machine.Volume is not null;
            if (machines.Named(name) is not null && approves)
                return Refused($"{name} is approved already: it has its disk");
            if (machines.Named(name) is null && !approves)
                return Refused($"there is no machine {name}: say with which image or volume it is approved when it shows the certificate");
            request.Machine.ToApproval();
            var lifetime = request.Days is { } days ? TimeSpan.FromDays(days) : ClientCertificates.Lifetime;
            var issued = certificates.Issue(name, lifetime, approves ? request.Machine : null);
            return TypedResults.Ok(new IssuedCertificateView(issued.Serial, name, issued.Ends, issued.CertificatePem, issued.KeyPem));
        }
        catch (MachineRefusedException e)
        {
            return Refused(e.Message);
        }
    }

    /// <summary>Revokes a certificate. A running machine keeps its disk, unless its sessions are to end.</summary>
    public async Task<Results<Ok<RevocationView>, ProblemHttpResult>> RevokeAsync(string serial, RevocationRequest request, CancellationToken cancellation)
    {
        if (certificates.Revoke(serial) is not { } certificate)
            return ErrorCode.Problem($"there is no certificate {serial}: slipway machine certificate list shows them", statusCode: StatusCodes.Status404NotFound);
        var name = certificate.Machine;
        List<SessionView> sessions = [.. registry.SessionsOfMachine(name).Select(s => new SessionView(s.InitiatorName, s.Remote.ToString()))];
        if (request.EndSessions)
            await registry.CutOffAsync(name, $"the certificate {certificate.Serial} was revoked", cancellation);
        var others = certificates.GoodOf(name);
        var boots = machines.Named(name) is { } machine && !certificates.AreRequiredOf(machine) ? "without a certificate, by its address"
            : others.Count > 0 ? $"by the certificate {string.Join(", ", others.Select(c => c.Serial))}"
            : null;
        return TypedResults.Ok(new RevocationView(certificate.Serial, name, request.EndSessions, sessions, boots));
    }

    private static ProblemHttpResult Refused(string reason) => ErrorCode.Problem(reason, statusCode: StatusCodes.Status409Conflict);
}

/// <param name="Machine">Its name; for one that is not approved yet also what it becomes.</param>
/// <param name="Days">How long the certificate is good.</param>
internal sealed record ClientCertificateRequest(ApprovalRequest Machine, int? Days);

/// <param name="Approves">Whether a machine that shows it is approved by it.</param>
internal sealed record CertificateView(string Serial, string Machine, DateTimeOffset Issued, DateTimeOffset Ends, DateTimeOffset? Revoked, bool Approves)
{
    public static CertificateView Of(ClientCertificate c) => new(c.Serial, c.Machine, c.Issued, c.Ends, c.Revoked, c.Approval is not null);
}

/// <param name="EndSessions">Takes the machine's disk from who has it, too.</param>
internal sealed record RevocationRequest(bool EndSessions);

/// <param name="Ended">Whether the sessions were ended; else they go on until the machine boots anew.</param>
/// <param name="Sessions">Who was logged in to the machine's disk.</param>
/// <param name="Boots">How the machine can boot all the same; null where it cannot.</param>
internal sealed record RevocationView(string Serial, string Machine, bool Ended, IReadOnlyList<SessionView> Sessions, string? Boots);

/// <param name="From">Address and port.</param>
internal sealed record SessionView(string Initiator, string From);

/// <summary>A new certificate with its key, which the server does not keep.</summary>
/// <param name="Key">PKCS#1, as iPXE wants it.</param>
internal sealed record IssuedCertificateView(string Serial, string Machine, DateTimeOffset Ends, string Certificate, string Key);
