using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Slipway.Server.Tests.Net;
using Slipway.Server.Tftp;
using Slipway.Tftp.Server;
using Slipway.Tftp.Wire;

namespace Slipway.Server.Tests.Tftp;

/// <summary>Real clients over loopback.</summary>
public sealed class TftpClientsTests : IAsyncDisposable, ITftpFiles, ITftpObserver
{
    private readonly Dictionary<string, byte[]> _files = [];
    private readonly EventLog<TftpEvent> _events = new();
    private readonly TftpListener _listener;

    public TftpClientsTests()
    {
        _listener = new TftpListener(new IPEndPoint(IPAddress.Loopback, 0), new TftpServer(this, new TftpLimits(), TimeProvider.System, this), TimeProvider.System, NullLogger.Instance);
        _listener.Start();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(511)]
    [InlineData(512)]
    [InlineData(1_000_000)]
    public void Curl_reads_files_of_every_length(int length)
    {
        var content = Serve("ipxe.efi", length);
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "got");
        Tool.Run("curl", "-sS", "-o", file, $"tftp://{_listener.Endpoint}/ipxe.efi");
        Assert.Equal(content, File.Exists(file) ? File.ReadAllBytes(file) : []);
    }

    [Fact]
    public async Task Curl_negotiates_a_block_size()
    {
        var content = Serve("a/b.efi", 100_000);
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "got");
        Tool.Run("curl", "-sS", "--tftp-blksize", "1468", "-o", file, $"tftp://{_listener.Endpoint}//a/b.efi");
        Assert.Equal(content, File.ReadAllBytes(file));
        var done = await _events.WaitForAsync(e => e.Kind == TftpEventKind.Done);
        Assert.Equal(100_000, done.Bytes);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(512)]
    [InlineData(40_000_000)] // 78,125 blocks: their number rolls over
    public void Tftp_hpa_reads_files_of_every_length(int length)
    {
        var content = Serve("big", length);
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "got");
        Tool.Run("tftp", "-m", "binary", "127.0.0.1", _listener.Endpoint.Port.ToString(CultureInfo.InvariantCulture), "-c", "get", "big", file);
        Assert.Equal(content, File.ReadAllBytes(file));
    }

    [Theory]
    [InlineData("blksize 1468", "windowsize 16")]
    [InlineData("blksize 512", "tsize 0")]
    public async Task Atftp_reads_with_the_options_that_it_asks_for(string first, string second)
    {
        var content = Serve("big", 3_000_000);
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "got");
        Tool.Run("atftp", "--option", first, "--option", second, "--get", "--remote-file", "big", "--local-file", file,
            "127.0.0.1", _listener.Endpoint.Port.ToString(CultureInfo.InvariantCulture));
        Assert.Equal(content, File.ReadAllBytes(file));
        Assert.Equal(3_000_000, (await _events.WaitForAsync(e => e.Kind == TftpEventKind.Done)).Bytes);
    }

    [Fact]
    public void Missing_files_and_paths_out_of_the_folder_are_refused()
    {
        var missing = Tool.Try("curl", "-sS", $"tftp://{_listener.Endpoint}/nothing");
        Assert.Equal(68, missing.ExitCode); // CURLE_TFTP_NOTFOUND
        var escape = Tool.Try("curl", "-sS", "--path-as-is", $"tftp://{_listener.Endpoint}/../etc/passwd");
        Assert.Equal(69, escape.ExitCode); // CURLE_TFTP_PERM
        Assert.Equal(2, _events.All.Count(e => e.Kind == TftpEventKind.Refused));
    }

    [Fact]
    public void Nothing_can_be_written()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "up");
        File.WriteAllText(file, "x");
        var result = Tool.Try("curl", "-sS", "-T", file, $"tftp://{_listener.Endpoint}/up");
        Assert.Equal(69, result.ExitCode);
    }

    [Fact]
    public async Task Five_hundred_transfers_run_at_once()
    {
        var content = Serve("ipxe.efi", 200_000);
        var results = await Task.WhenAll(Enumerable.Range(0, 500).Select(_ => FetchAsync("ipxe.efi")));
        Assert.All(results, r => Assert.Equal(content, r));
    }

    private byte[] Serve(string name, int length)
    {
        var content = new byte[length];
        new Random(length).NextBytes(content);
        return _files[name] = content;
    }

    // A minimal reader: enough to have five hundred of them.
    private async Task<byte[]> FetchAsync(string name)
    {
        using var socket = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        byte[] request = [0, 1, .. System.Text.Encoding.ASCII.GetBytes($"{name}\0octet\0blksize\01468\0")];
        using var content = new MemoryStream();
        ushort next = 0;
        var last = request;
        var peer = _listener.Endpoint;
        while (true)
        {
            await socket.SendAsync(last, peer);
            using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            UdpReceiveResult received;
            try
            {
                received = await socket.ReceiveAsync(timeout.Token);
            }
            catch (OperationCanceledException)
            {
                continue;
            }
            peer = received.RemoteEndPoint;
            var packet = received.Buffer;
            if (packet[1] == (byte)TftpOpcode.OptionAcknowledgement)
            {
                last = [0, 4, 0, 0];
                next = 1;
                continue;
            }
            if ((packet[2] << 8 | packet[3]) != next)
                continue;
            content.Write(packet, 4, packet.Length - 4);
            last = [0, 4, packet[2], packet[3]];
            next++;
            if (packet.Length < 4 + 1468)
            {
                await socket.SendAsync(last, peer);
                return content.ToArray();
            }
        }
    }

    TftpAnswer ITftpFiles.Open(string name, IPEndPoint client) =>
        _files.TryGetValue(name, out var content) ? TftpAnswer.Of(content) : TftpAnswer.NotFound(name);

    void ITftpObserver.Observe(TftpEvent tftpEvent) => _events.Add(tftpEvent);

    public ValueTask DisposeAsync() => _listener.DisposeAsync();
}
