using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Slipway.Dhcp.Wire;

namespace Slipway.Bench.Network.Storm;

/// <summary>
/// One machine, as the server sees it: its firmware asks for an address, its iPXE asks again, fetches the script over TLS
/// 1.2, and logs in to the disk with both secrets. What is not here is the transfer of iPXE itself, and reading the disk.
/// </summary>
internal sealed class StormMachine(int number, RelaySocket relay, X509Certificate2 root)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private readonly HardwareAddress _hardware = HardwareAddress.Parse(MacOf(number));
    private uint _serial;

    public List<double> Dhcp { get; } = [];

    public List<double> Script { get; } = [];

    public List<double> Login { get; } = [];

    /// <summary>From the first packet to the login.</summary>
    public List<double> Boot { get; } = [];

    public string? Failure { get; private set; }

    public static string MacOf(int number) => string.Create(CultureInfo.InvariantCulture, $"02:00:00:{number >> 16:x2}:{number >> 8 & 0xFF:x2}:{number & 0xFF:x2}");

    public async Task BootAsync()
    {
        var start = Stopwatch.GetTimestamp();
        try
        {
            await LeaseAsync(isIpxe: false);
            var lease = await LeaseAsync(isIpxe: true);
            var script = await FetchAsync(lease.YourAddress, new Uri(Encoding.ASCII.GetString((lease.Options.Find(OptionCode.BootFileName) ?? lease.File).Span)));
            await LogInAsync(lease.YourAddress, script);
            Boot.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException or SocketException or IOException or AuthenticationException or InvalidDataException)
        {
            Failure = $"machine {number}: {e.Message}";
        }
    }

    private async Task<DhcpMessage> LeaseAsync(bool isIpxe)
    {
        var offer = await AskAsync(Message(MessageType.Discover, isIpxe), MessageType.Offer);
        var request = Message(MessageType.Request, isIpxe);
        request.Xid = offer.Xid + 1;
        request.Options.Set(OptionCode.RequestedAddress, offer.YourAddress);
        request.Options.Set(OptionCode.ServerIdentifier, offer.Options.Address(OptionCode.ServerIdentifier)!);
        return await AskAsync(request, MessageType.Ack);
    }

    private async Task<DhcpMessage> AskAsync(DhcpMessage message, MessageType expected)
    {
        var (answer, time) = await relay.AskAsync(message);
        Dhcp.Add(time.TotalMilliseconds);
        return answer.Type == expected ? answer : throw new InvalidDataException($"{answer.Type} to {message.Type}");
    }

    // What OVMF's and iPXE's own packets say.
    private DhcpMessage Message(MessageType type, bool isIpxe)
    {
        var message = new DhcpMessage { Hardware = _hardware, Xid = (uint)number << 8 | (_serial += 2), Type = type };
        message.Options.Set(OptionCode.ClientArchitecture, new byte[] { 0, 7 });
        message.Options.Set(OptionCode.VendorClass, "PXEClient:Arch:00007:UNDI:003016");
        message.Options.Set(OptionCode.ClientMachineIdentifier, (byte[])[0, .. new byte[10], .. BitConverter.GetBytes(number), 1, 1]);
        if (isIpxe)
        {
            message.Options.Set(OptionCode.UserClass, "iPXE");
            // Features: HTTPS, HTTP, iSCSI, EFI.
            message.Options.Set(OptionCode.Ipxe, new byte[] { 0x14, 1, 1, 0x13, 1, 1, 0x11, 1, 1, 0x24, 1, 1 });
        }
        return message;
    }

    private async Task<string> FetchAsync(IPAddress from, Uri url)
    {
        using var timer = new CancellationTokenSource(Patience);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Bind(new IPEndPoint(from, 0));
        var start = Stopwatch.GetTimestamp();
        await socket.ConnectAsync(IPAddress.Parse(url.Host), url.Port, timer.Token);
        await using var tls = new SslStream(new NetworkStream(socket));
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = url.Host,
            EnabledSslProtocols = SslProtocols.Tls12,
            CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { root }, RevocationMode = X509RevocationMode.NoCheck },
        }, timer.Token);
        await tls.WriteAsync(Encoding.ASCII.GetBytes($"GET {url.PathAndQuery} HTTP/1.1\r\nHost: {url.Host}\r\nConnection: close\r\n\r\n"), timer.Token);
        using var reader = new StreamReader(tls, Encoding.UTF8);
        var answer = await reader.ReadToEndAsync(timer.Token);
        Script.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        return answer.StartsWith("HTTP/1.1 200", StringComparison.Ordinal) ? answer : throw new InvalidDataException($"{url}: {answer.Split('\r')[0]}");
    }

    private async Task LogInAsync(IPAddress from, string script)
    {
        using var timer = new CancellationTokenSource(Patience);
        var start = Stopwatch.GetTimestamp();
        using var login = new IscsiLogin(from, IscsiAccess.Of(script));
        await login.RunAsync(timer.Token);
        Login.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
    }
}
