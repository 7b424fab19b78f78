using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Slipway.Server.Boot;
using Slipway.Server.Boot.Programs;

namespace Slipway.Server.Https;

/// <summary>
/// Kestrel with this site's certificate: TLS 1.2 and 1.3. A handshake that the client breaks off is reported: it is how a machine says that it
/// does not trust this server. Beside it, without TLS, the programs for firmware that has no site's authority yet.
/// </summary>
internal sealed class HttpsEndpoint : IAsyncDisposable
{
    private const string HandshakeDone = "slipway.handshake", OffersEcdsa = "slipway.ecdsa";

    private readonly WebApplication _application;

    private HttpsEndpoint(WebApplication application) => _application = application;

    /// <summary>What is served, as URLs with the ports that the system chose where 0 was asked for.</summary>
    public IReadOnlyList<Uri> Addresses => [.. _application.Urls.Select(url => new Uri(url))];

    public static async Task<HttpsEndpoint> StartAsync(
        IReadOnlyList<TlsEndPoint> endpoints, IReadOnlyList<IPEndPoint> plain, ServerCertificate certificate,
        IMachineRequests requests, ProgramRequests programs, ILoggerFactory logs, CancellationToken cancellation)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(logs);
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = Math.Min(2000, DescriptorReserve.OfProcess().Limit / 4);
            kestrel.Limits.MaxRequestBodySize = 64 << 10;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
            foreach (var endpoint in endpoints)
                kestrel.Listen(endpoint.Address, listen => Configure(listen, endpoint.Suites, certificate, requests));
            foreach (var endpoint in plain)
                kestrel.Listen(endpoint, listen => listen.Protocols = HttpProtocols.Http1);
        });
        var application = builder.Build();
        application.Use(OnlyProgramsWithoutTls);
        application.UseRouting();
        application.MapMethods(ProgramRequests.Path + "{name}", [HttpMethods.Get, HttpMethods.Head], (HttpContext context, string name) => programs.SendAsync(context, name));
        application.MapGet("/boot/up", requests.UpAsync);
        application.MapGet("/boot/{mac}/{firmware?}/{profile?}", (HttpContext context, string mac, string? firmware, string? profile) => requests.ScriptAsync(context, mac, firmware, profile));
        application.MapMethods("/boot/{mac}/" + BootRequests.DirectFiles + "/{profile}/{file}", [HttpMethods.Get, HttpMethods.Head],
            (HttpContext context, string mac, string profile, string file) => requests.DirectFileAsync(context, mac, profile, file));
        await application.StartAsync(cancellation);
        return new HttpsEndpoint(application);
    }

    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync();
        await _application.DisposeAsync();
    }

    // Scripts hold secrets: a mistyped address must not get one.
    private static Task OnlyProgramsWithoutTls(HttpContext context, RequestDelegate next)
    {
        if (context.Request.IsHttps || context.Request.Path.StartsWithSegments(ProgramRequests.Path.TrimEnd('/'), StringComparison.Ordinal))
            return next(context);
        context.Response.StatusCode = StatusCodes.Status403Forbidden;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync("only by https\n", context.RequestAborted);
    }

    // The framework builds a chain before it asks; it must not fetch what a stranger's certificate names, nor look in the
    // system's store.
    private static X509ChainPolicy ClientChainPolicy() => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        RevocationMode = X509RevocationMode.NoCheck,
        DisableCertificateDownloads = true,
    };

    private static void Configure(ListenOptions listen, CipherSuitesPolicy? suites, ServerCertificate certificate, IMachineRequests requests)
    {
        listen.Protocols = HttpProtocols.Http1AndHttp2;
        listen.Use(next => async connection =>
        {
            await next(connection);
            if (!connection.Items.ContainsKey(HandshakeDone) && connection.RemoteEndPoint is IPEndPoint client)
                requests.HandshakeBrokenOff(client.Address);
        });
        listen.UseHttps(https =>
        {
            https.HandshakeTimeout = TimeSpan.FromSeconds(20);
            https.SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13;
            https.TlsClientHelloBytesCallback = (connection, hello) => connection.Items[OffersEcdsa] = ClientHello.OffersEcdsa(hello);
            // Kestrel wants one; which is shown is decided for each handshake.
            https.ServerCertificate = certificate.For(ecdsa: false).TargetCertificate;
            https.OnAuthenticate = (connection, tls) =>
            {
                tls.ServerCertificateContext = certificate.For(ecdsa: connection.Items.TryGetValue(OffersEcdsa, out var offers) && offers is true);
                tls.CipherSuitesPolicy = suites;
                tls.ClientCertificateRequired = requests.AsksForCertificates;
                tls.CertificateChainPolicy = ClientChainPolicy();
                // Whether it counts is for the request to say (ClientCertificates.Examine): an alert would tell a machine nothing.
#pragma warning disable CA5359
                tls.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
            };
        });
        listen.Use(next => connection =>
        {
            connection.Items[HandshakeDone] = true;
            if (connection.RemoteEndPoint is IPEndPoint client && connection.Features.Get<ITlsHandshakeFeature>() is { } tls)
                requests.HandshakeDone(client.Address, tls);
            return next(connection);
        });
    }
}

/// <summary>What machines ask by HTTPS.</summary>
internal interface IMachineRequests
{
    /// <summary>Whether clients are asked for a certificate. Who shows none, or a wrong one, is let in all the same.</summary>
    bool AsksForCertificates { get; }

    void HandshakeDone(IPAddress client, ITlsHandshakeFeature tls);

    void HandshakeBrokenOff(IPAddress client);

    /// <param name="firmware">What the machine found itself to have; null where it was not asked yet.</param>
    /// <param name="profile">What was chosen from a menu.</param>
    Task ScriptAsync(HttpContext context, string mac, string? firmware, string? profile);

    /// <summary>A file of the machine's volume, for a direct boot.</summary>
    Task DirectFileAsync(HttpContext context, string mac, string profile, string file);

    Task UpAsync(HttpContext context);
}
