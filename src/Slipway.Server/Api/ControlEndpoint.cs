using System.Net.Sockets;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Slipway.Server.Api;

/// <summary>
/// The HTTP API that the command line speaks, on a Unix socket in the state folder: who may open the folder may ask. Its
/// description is at <c>/openapi/v1.json</c>.
/// </summary>
internal sealed class ControlEndpoint : IAsyncDisposable
{
    public const string SocketFile = "slipway.sock";

    private readonly WebApplication _application;
    private readonly string _socket;

    private ControlEndpoint(WebApplication application, string socket) => (_application, _socket) = (application, socket);

    /// <exception cref="IOException">Another server has this state folder, or the socket cannot be made.</exception>
    public static async Task<ControlEndpoint> StartAsync(
        string socket, ControlRequests requests, CertificateRequests certificates, SiteRequests site, ILoggerFactory logs, CancellationToken cancellation)
    {
        RemoveLeftOver(socket);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(logs);
        builder.Services.AddRoutingCore();
        builder.Services.AddProblemDetails();
        builder.Services.AddOpenApi(options => options.AddDocumentTransformer((document, _, _) =>
        {
            (document.Info.Title, document.Info.Version) = ("Slipway", "v1");
            return Task.CompletedTask;
        }));
        builder.Services.Configure<JsonOptions>(options =>
        {
            options.SerializerOptions.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
            options.SerializerOptions.TypeInfoResolverChain.Insert(0, ControlJson.Default);
        });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // A site of a hundred thousand machines.
            kestrel.Limits.MaxRequestBodySize = 16 << 20;
            kestrel.ListenUnixSocket(socket, listen => listen.Protocols = HttpProtocols.Http1);
        });
        var application = builder.Build();
        application.UseExceptionHandler();
        application.UseStatusCodePages();
        application.UseRouting();
        application.MapOpenApi();
        var api = application.MapGroup("/v1");
        api.MapGet("/machines", () => requests.Machines()).WithSummary("Machines, approved or only seen");
        api.MapGet("/machines/{machine}", (string machine) => requests.Machine(machine)).WithSummary("One machine, by name or MAC address");
        api.MapPost("/machines/{machine}/approval", (string machine, ApprovalRequest request, CancellationToken c) => requests.ApproveAsync(machine, request, c))
            .WithSummary("Approve a machine, by MAC address");
        api.MapPost("/machines/{machine}/boot-once", (string machine, BootOnceRequest request) => requests.BootOnce(machine, request))
            .WithSummary("Say what the next boot is, and that one only");
        api.MapPost("/machines/{machine}/wake", (string machine, CancellationToken c) => requests.WakeAsync(machine, c)).WithSummary("Send a wake-on-LAN packet");
        api.MapDelete("/machines/{machine}", (string machine, CancellationToken c) => requests.RemoveAsync(machine, c)).WithSummary("Forget a machine; its volume stays");
        api.MapGet("/boots", () => requests.Boots()).WithSummary("The latest boot of each machine");
        api.MapGet("/boots/events", (string? machine, CancellationToken c) => requests.Follow(machine, c)).WithSummary("Events as they come (server-sent events)");
        api.MapGet("/boots/{machine}", (string machine) => requests.Boot(machine)).WithSummary("The latest boot of one machine, with its events");
        api.MapGet("/leases", () => requests.Leases()).WithSummary("DHCP leases");
        api.MapGet("/leases/history", (string of) => requests.LeaseHistory(of)).WithSummary("Who had an address, or what a machine had (by name or MAC address); the latest first");
        api.MapGet("/site", () => site.Export()).WithSummary("The whole site as one file");
        api.MapPost("/site/plan", (SiteView other) => site.PlanAsync(other)).WithSummary("What another site would change");
        api.MapPost("/site", (SiteView other, CancellationToken c) => site.ApplyAsync(other, c)).WithSummary("Serve another site");
        api.MapGet("/certificates", () => certificates.All()).WithSummary("Client certificates that were issued");
        api.MapPost("/certificates", (ClientCertificateRequest request) => certificates.Issue(request)).WithSummary("Issue a client certificate; the answer holds its key");
        api.MapPost("/certificates/{serial}/revocation", (string serial, RevocationRequest request, CancellationToken c) => certificates.RevokeAsync(serial, request, c))
            .WithSummary("Revoke a client certificate; the answer says who is logged in");
        await application.StartAsync(cancellation);
        // Connecting takes the right to write.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(socket, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return new ControlEndpoint(application, socket);
    }

    public async ValueTask DisposeAsync()
    {
        // Who follows events would keep the server for as long as the host waits.
        using var now = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await _application.StopAsync(now.Token);
        await _application.DisposeAsync();
        File.Delete(_socket);
    }

    // A server that was killed leaves its socket. One that answers is alive.
    private static void RemoveLeftOver(string socket)
    {
        if (!File.Exists(socket))
            return;
        try
        {
            using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            probe.Connect(new UnixDomainSocketEndPoint(socket));
        }
        catch (SocketException)
        {
            File.Delete(socket);
            return;
        }
        throw new IOException($"another slipway serves from {Path.GetDirectoryName(socket)}");
    }
}
