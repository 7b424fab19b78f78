using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Slipway.Dhcp.Networks;
using Slipway.Dhcp.Server;
using Slipway.Dhcp.V6.Server;
using Slipway.Fleet.Boots;
using Slipway.Fleet.Machines;
using Slipway.Iscsi.Target;
using Slipway.Server.Api;
using Slipway.Server.Boot;
using Slipway.Server.Boot.Programs;
using Slipway.Server.Certificates;
using Slipway.Server.Dhcp;
using Slipway.Server.Disks;
using Slipway.Server.Https;
using Slipway.Server.Iscsi;
using Slipway.Server.Machines;
using Slipway.Server.Site;
using Slipway.Server.Syslog;
using Slipway.Server.Tftp;
using Slipway.Server.Timeline;
using Slipway.Tftp.Server;

namespace Slipway.Server;

/// <summary>The whole server side of a site: DHCP, TFTP, HTTPS and the iSCSI target on each of its networks.</summary>
public sealed partial class SlipwayServer : IAsyncDisposable
{
    public const int HttpPort = 80;
    public const int HttpsPort = 443;
    public const int IscsiPort = Portal.DefaultPort;
    public const int TftpPort = 69;
    public const int SyslogPort = 514;

    private readonly ILogger _logger;
    private readonly TimeProvider _clock = TimeProvider.System;
    private readonly Stack<Func<ValueTask>> _closing = [];
    private readonly BootEventLog _events;
    private SiteAuthority? _authority;

    private SlipwayServer(ILogger logger)
    {
        _logger = logger;
        Timelines = new BootTimelines(_clock);
        _events = new BootEventLog(Timelines, logger);
    }

    public BootTimelines Timelines { get; }

    public SiteAuthority Authority => _authority ?? throw new InvalidOperationException("the server has not been started");

    /// <summary>Starts everything, or nothing.</summary>
    /// <exception cref="SiteConfigurationException">The site cannot be served as described; the message says what to change.</exception>
    public static async Task<SlipwayServer> StartAsync(SiteConfiguration site, ILoggerFactory logs, CancellationToken cancellation = default)
    {
        var server = new SlipwayServer(logs.CreateLogger("Slipway"));
        try
        {
            await server.OpenAsync(site, logs, cancellation);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        while (_closing.TryPop(out var close))
            await close();
        _events.Dispose();
    }

    private async Task OpenAsync(SiteConfiguration site, ILoggerFactory logs, CancellationToken cancellation)
    {
        SiteState.CreateFolder(site.State);
        _authority = Closing(SiteState.OpenAuthority(site, _clock));
        var source = CertificateSource(site, _authority);
        var store = Closing(SiteState.OpenStore(site.State));
        var (leases, kept) = SiteState.OpenLeases(site.State);
        Closing(leases);

        string HttpBase(DhcpNetwork network) => $"{site.BootSchemeAt(network.ServerAddress)}://{network.ServerAddress}{ProgramRequests.Path}";

        var programs = new BootPrograms(site.Ipxe, site.FingerprintInPrograms ?? source.RootFingerprint);
        IPAddress[] storage = [.. site.StorageNetworks.Select(n => n.Address)];
        var dhcp = new DhcpServer(SiteNetworks.Of(site), new SiteBootPolicy(programs, HttpBase, storage), _clock);
        dhcp.Restore(kept);
        var networks6 = Ipv6Settings.NetworksOf(site);
        var card = networks6.Select(n => n.Interface).OfType<string>().Select(PacketEndPoint.CardOf).FirstOrDefault(c => c is not null);
        if (networks6.Count > 0 && card is null)
            throw new SiteConfigurationException($"none of {string.Join(", ", networks6.Select(n => n.Interface).OfType<string>())} has an Ethernet address, which DHCPv6 names this server by");
        var dhcp6 = new Dhcp6Server(networks6, new SiteBootUrls(programs, site), card ?? default, _clock);
        dhcp6.Restore(kept);
        var machines = new MachineDirectory(site.Machines, address => (address.AddressFamily == AddressFamily.InterNetwork ? dhcp.HolderOf(address) : dhcp6.HolderOf(address)) is { } holder
            ? DhcpEvidence.MacOf(holder)
            : null);

        var sightings = new MachineSightings(store);
        Closing(new Upkeep(Timelines, sightings, leases, _clock, _logger));
        var current = new CurrentSite(site);
        var targets = new MachineTargets(site.Advertise, site.Redirect, storage);
        var disks = new MachineDisks(current, targets, store, Timelines, logs.CreateLogger("Slipway.Machines"));
        var registry = Closing(new MachineRegistry(current, machines, disks, sightings, store, Timelines, _clock, logs.CreateLogger("Slipway.Machines")));
        await registry.OpenAsync(cancellation);
        var networks = SiteNetworks.Of(site with { Machines = machines.All });
        dhcp.Configure(networks);
        registry.NetworksChanged = dhcp.Configure;

        var portals = site.TargetAddresses.Select(a => new IPEndPoint(a, IscsiPort)).ToList();
        var iscsi = Closing(new IscsiListener(portals, targets, new IscsiEvidence(Timelines, targets, machines), _clock, logs.CreateLogger("Slipway.Iscsi")));
        // Before all that takes time: guests of a server that starts again wait for their disks.
        Listen(iscsi.Start, $"the iSCSI target on {string.Join(", ", portals)}");

        Closing(new IdleDisks(targets, _clock, logs.CreateLogger("Slipway.Disks")));
        disks.SessionsOf = disk => iscsi.SessionsOf(disk.Device);
        disks.EndSessions = (disk, reason) => iscsi.EndSessionsAsync(disk.Device, reason);

        foreach (var refused in programs.Refused)
            LogProgramRefused(refused);
        if (programs.ByPlatform.Count == 0 && programs.Refused.Count == 0)
            LogNoPrograms(site.Ipxe);

        var certificates = new ClientCertificates(_authority, store, site.ClientCertificates, _clock);
        var log = logs.CreateLogger("Slipway.Https");
        var requesters = new BootRequesters(machines, targets, Timelines, registry, certificates, log);
        var requests = new BootRequests(current, machines, requesters, store, Timelines, IscsiPort,
            disk => iscsi.EndSessionsAsync(disk.Device, $"{disk.Machine.Name} boots anew"), log);
        var certificate = new ServerCertificate(source, log);
        await ListenAsync(async () =>
            Closing(await HttpsEndpoint.StartAsync(
                [.. site.Networks.SelectMany(n => n.HttpsAddresses.Select(a => new TlsEndPoint(new IPEndPoint(a, HttpsPort), n.HttpBoot == HttpBootScheme.Https)))],
                [.. site.Networks.Where(n => n.HttpBoot == HttpBootScheme.Http).SelectMany(n => n.BootAddresses).Select(a => new IPEndPoint(a, HttpPort))],
                certificate, requests, new ProgramRequests(programs, machines, Timelines, log), logs, cancellation)),
            "HTTPS, or HTTP for UEFI HTTP Boot (http-boot: https does without),");

        var own = site.Networks.Select(n => n.Address).ToHashSet();
        var files = new TftpFolder(site.Tftp, machines, programs);
        var tftp = new TftpServer(files, new TftpLimits(), _clock, new TftpEvidence(Timelines, machines));
        foreach (var address in site.Networks.SelectMany(n => n.BootAddresses))
        {
            var listener = Closing(new TftpListener(new IPEndPoint(address, TftpPort), tftp, _clock, logs.CreateLogger("Slipway.Tftp")));
            Listen(listener.Start, $"TFTP on {address}");
        }
        var messages = new SyslogEvidence(Timelines, machines, _clock, logs.CreateLogger("Slipway.Syslog"));
        foreach (var endpoint in site.Networks.SelectMany(n => n.SyslogEndpoints))
        {
            var listener = Closing(new SyslogListener(endpoint, messages.Observe, logs.CreateLogger("Slipway.Syslog")));
            Listen(listener.Start, $"syslog on {endpoint} (syslog: off does without)");
        }
        var evidence = new DhcpEvidence(Timelines, machines, sightings, site.StorageNetworks.SelectMany(n => n.Relays.Select(r => r.Name).Prepend(n.Name)).ToHashSet());
        foreach (var network in site.Networks.Where(n => n.Mode != NetworkMode.Off))
        {
            var probe = Closing(IcmpProbe.Open(network.Interface));
            var listener = Closing(new DhcpListener(network.Interface, dhcp, leases, evidence, logs.CreateLogger("Slipway.Dhcp"), probe));
            Listen(listener.Start, $"DHCP on {network.Interface}");
            // Beside a proxy another server is what there should be.
            if (network.Mode == NetworkMode.Authoritative
                && OtherServerWatch.TryStart(network.Interface, own, evidence, _clock, logs.CreateLogger("Slipway.Dhcp")) is { } watch)
                Closing(watch);
        }
        foreach (var network in site.Networks.Where(n => n.Ipv6 is { Mode: not NetworkMode.Off }))
        {
            var listener = Closing(new Dhcp6Listener(network.Interface, dhcp6, leases, evidence, logs.CreateLogger("Slipway.Dhcp")));
            Listen(listener.Start, $"DHCPv6 on {network.Interface}");
        }
        await ListenAsync(async () =>
            Closing(await ControlEndpoint.StartAsync(Path.Combine(site.State, ControlEndpoint.SocketFile),
                new ControlRequests(machines, registry, sightings, Timelines, leases, site.Networks, _clock), new CertificateRequests(certificates, machines, registry), new SiteRequests(new SiteApply(current, registry, dhcp.Configure)), logs, cancellation)),
            $"the control socket in {site.State}");
        foreach (var network in site.Networks)
        {
            if (network.Role == NetworkRole.Storage)
                LogServingStorage(network.Name, network.Interface, network.Address);
            else
                LogServing(network.Name, network.Interface, string.Join(" and ", network.Addresses));
        }
    }

    private ICertificateSource CertificateSource(SiteConfiguration site, SiteAuthority authority)
    {
        var addresses = site.Networks.SelectMany(n => n.HttpsAddresses).ToList();
        if (site.Certificate is not { } files)
            return new IssuedServerCertificates(authority, addresses, Dns.GetHostName(), _clock);
        try
        {
            var certificates = CertificateFiles.Open(files, addresses, Dns.GetHostName(), _clock);
            LogTrust(files.Root ?? files.Certificate, Convert.ToHexStringLower(certificates.RootFingerprint));
            foreach (var concern in certificates.Concerns)
                LogCertificateConcern(concern);
            return certificates;
        }
        catch (CertificateFileException e)
        {
            throw new SiteConfigurationException($"https: {e.Message}", e);
        }
    }

    private static void Listen(Action start, string what)
    {
        try
        {
            start();
        }
        catch (SocketException e)
        {
            throw CannotListen(what, e);
        }
    }

    private static async Task ListenAsync(Func<Task> start, string what)
    {
        try
        {
            await start();
        }
        catch (Exception e) when (e is SocketException or AddressInUseException or IOException)
        {
            throw CannotListen(what, e);
        }
    }

    private static SiteConfigurationException CannotListen(string what, Exception e) => new($"{what} cannot be served: {e.Message.TrimEnd('.')}. {Remedy(e)} (slipway explain SLP2002)", e);

    private static string Remedy(Exception e) => SocketErrorOf(e) switch
    {
        SocketError.AddressAlreadyInUse => "Another program has the port: slipway doctor says which",
        SocketError.AddressNotAvailable => "No interface of this host has the address: ip address add, or change address: in slipway.yaml",
        SocketError.AccessDenied => "Run it as root, or with CAP_NET_BIND_SERVICE and CAP_NET_RAW",
        _ => "Is the address on this host, the port free, and this process root (or has CAP_NET_BIND_SERVICE and CAP_NET_RAW)? slipway doctor says which",
    };

    // Kestrel wraps it, or does not.
    private static SocketError? SocketErrorOf(Exception? e)
    {
        while (e is not (null or SocketException))
            e = e.InnerException;
        return (e as SocketException)?.SocketErrorCode;
    }

    private T Closing<T>(T opened)
    {
        _closing.Push(opened is IAsyncDisposable later ? later.DisposeAsync : () =>
        {
            ((IDisposable)opened!).Dispose();
            return ValueTask.CompletedTask;
        });
        return opened;
    }

    [LoggerMessage(1002, LogLevel.Information, "serving network {Network} on {Interface}, as {Address}")]
    private partial void LogServing(string network, string @interface, string address);

    [LoggerMessage(1010, LogLevel.Information, "serving storage network {Network} on {Interface}, as {Address}: disks are on storage networks only")]
    private partial void LogServingStorage(string network, string @interface, IPAddress address);

    [LoggerMessage(1009, LogLevel.Information, "machines have to trust the root in {File} (slipway firmware trust --ca {File}): SHA-256 {Fingerprint}")]
    private partial void LogTrust(string file, string fingerprint);

    [LoggerMessage(1007, LogLevel.Warning, "the site's certificate: {Concern}")]
    private partial void LogCertificateConcern(string concern);

    [LoggerMessage(1003, LogLevel.Warning, "not served by TFTP: {Reason}")]
    private partial void LogProgramRefused(string reason);

    [LoggerMessage(1011, LogLevel.Warning, "there is no iPXE in {Folder}: firmware that boots from the network gets nothing. Install Debian's package ipxe, or name a folder as ipxe: in slipway.yaml (slipway explain SLP2008)")]
    private partial void LogNoPrograms(string folder);
}
