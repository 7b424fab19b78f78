using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Slipway.Fleet.Credentials;
using Slipway.Server.Certificates;
using Slipway.Server.Machines;
using Slipway.Server.Site;

namespace Slipway.Server.Api;

/// <summary>What the API is asked for about client certificates.</summary>
internal sealed class CertificateRequests(ClientCertificates certificates, MachineDirectory machines)
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

    public Results<NoContent, ProblemHttpResult> Revoke(string serial) => certificates.Revoke(serial)
        ? TypedResults.NoContent()
        : TypedResults.Problem($"there is no certificate {serial} that was not revoked before: slipway machine certificate list shows them", statusCode: StatusCodes.Status404NotFound);

    private static ProblemHttpResult Refused(string reason) => TypedResults.Problem(reason, statusCode: StatusCodes.Status409Conflict);
}

/// <param name="Machine">Its name; for one that is not approved yet also what it becomes.</param>
/// <param name="Days">How long the certificate is good.</param>
internal sealed record ClientCertificateRequest(ApprovalRequest Machine, int? Days);

/// <param name="Approves">Whether a machine that shows it is approved by it.</param>
internal sealed record CertificateView(string Serial, string Machine, DateTimeOffset Issued, DateTimeOffset Ends, DateTimeOffset? Revoked, bool Approves)
{
    public static CertificateView Of(ClientCertificate c) => new(c.Serial, c.Machine, c.Issued, c.Ends, c.Revoked, c.Approval is not null);
}

/// <summary>A new certificate with its key, which the server does not keep.</summary>
/// <param name="Key">PKCS#1, as iPXE wants it.</param>
internal sealed record IssuedCertificateView(string Serial, string Machine, DateTimeOffset Ends, string Certificate, string Key);
