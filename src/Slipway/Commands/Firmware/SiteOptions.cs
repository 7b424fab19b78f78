using System.CommandLine;
using System.CommandLine.Parsing;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Slipway.Commands.Fleet;
using Slipway.Commands.Volumes;
using Slipway.Ipxe.Scripts;
using Slipway.Server.Api;

namespace Slipway.Commands.Firmware;

/// <summary>What several firmware commands ask of their site: its server, its authority, and a machine's certificate.</summary>
internal static class SiteOptions
{
    private const string DefaultRoot = "/var/lib/slipway/ca.pem";

    public static Option<FileInfo> Authority() => new("--ca")
    {
        Description = "The root certificate, PEM or DER",
        DefaultValueFactory = _ => new(DefaultRoot),
    };

    public static Uri? ParseServer(ArgumentResult result)
    {
        if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var uri) && uri.Scheme is ("https" or "http")) return uri;
        result.AddError($"'{result.Tokens[0].Value}' is not an address like https://10.1.2.3/");
        return null;
    }

    public static X509Certificate2 ReadAuthority(FileInfo authority)
    {
        if (!authority.Exists)
            throw new FirmwareException($"{authority.FullName} is not there. `slipway serve` makes the site's certificate authority at its first start; another one is given with --ca");
        try
        {
            var root = RootOf(File.ReadAllBytes(authority.FullName))
                ?? throw new FirmwareException($"{authority.Name} has certificates, but no root, which signs itself: iPXE has to trust that one");
            var constraints = root.Extensions.OfType<X509BasicConstraintsExtension>().FirstOrDefault();
            return constraints is { CertificateAuthority: true }
                ? root
                : throw new FirmwareException($"{authority.Name} is {root.Subject}'s certificate, not a certificate authority's (CA:TRUE): iPXE would trust nothing by it");
        }
        catch (CryptographicException e)
        {
            throw new FirmwareException($"{authority.Name} is not a certificate in PEM or DER: {e.Message}", e);
        }
    }

    // The one certificate that there is, or of a chain the root.
    private static X509Certificate2? RootOf(byte[] file)
    {
        if (file.AsSpan().IndexOf("-----BEGIN"u8) < 0)
            return X509CertificateLoader.LoadCertificate(file);
        var all = new X509Certificate2Collection();
        all.ImportFromPem(Encoding.UTF8.GetString(file));
        return all.Count == 1 ? all[0] : all.FirstOrDefault(c => c.Subject == c.Issuer);
    }

    /// <summary>The options by which what is made becomes one machine's own.</summary>
    public sealed class Machine
    {
        public Option<string?> Name { get; } = new("--machine") { Description = "For one machine: with a client certificate that the running server issues for it" };

        public Option<string?> Image { get; } = new("--image") { Description = "With --machine, where it is not approved yet: it becomes so when it shows the certificate, with a clone of this image" };

        public Option<string?> Volume { get; } = new("--volume") { Description = "The same, with this volume" };

        public void Check(CommandResult parsed)
        {
            if (parsed.GetResult(Name) is null && (parsed.GetResult(Image) ?? parsed.GetResult(Volume)) is not null)
                parsed.AddError("--image and --volume go with --machine.");
        }

        /// <summary>The machine's new certificate; null where none was asked for.</summary>
        public async Task<ClientIdentity?> IssueAsync(ParseResult parsed, CancellationToken cancellation)
        {
            if (parsed.GetValue(Name) is not { } name)
                return null;
            using var server = new RunningServer(parsed.GetRequiredValue(StoreCommand.State).FullName);
            try
            {
                var request = new ClientCertificateRequest(new(name, parsed.GetValue(Volume), parsed.GetValue(Image), null, null, null), null);
                var issued = await server.PostAsync<IssuedCertificateView>("certificates", request, cancellation);
                using var certificate = X509Certificate2.CreateFromPem(issued.Certificate);
                using var key = RSA.Create();
                key.ImportFromPem(issued.Key);
                return new ClientIdentity(name, certificate.RawData, key.ExportRSAPrivateKey());
            }
            catch (ServerException refusal)
            {
                throw new FirmwareException(refusal.Message, refusal);
            }
        }
    }
}
