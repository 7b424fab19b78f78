using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Slipway.Tests;
using Slipway.Volumes.Import;
using Slipway.Volumes.Store;
using Slipway.Volumes.Tests.Store;

namespace Slipway.Volumes.Tests.Import;

/// <summary>Images that are fetched over lines that break.</summary>
public sealed class DownloadTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly UnsteadyServer _server = new() { Content = Sample.Disk() };
    private readonly ImageStore _images;

    public DownloadTests() => _images = new(_folder["images"]);

    public void Dispose()
    {
        _server.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_line_that_breaks_is_taken_up_where_it_broke()
    {
        _server.Breaks.Enqueue(1 << 20);
        _server.Breaks.Enqueue(3 << 20);
        var notes = new Notes();
        await ImportedAsync(notes);
        Assert.Equal([0, 1 << 20, 4 << 20], _server.Answers);
        Assert.Equal(2, notes.Count);
    }

    [Fact]
    public async Task A_server_that_hangs_up_before_TLS_begins_is_not_waited_for()
    {
        using var closing = new TcpListener(IPAddress.Loopback, 0);
        closing.Start();
        var notes = new Notes();
        var import = _images.ImportAsync($"https://{closing.LocalEndpoint}/disk.raw", "golden", progress: notes).AsTask();
        (await closing.AcceptTcpClientAsync()).Dispose();
        var refusal = await Assert.ThrowsAsync<VolumeStoreException>(() => import);
        Assert.DoesNotContain("inner exception", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(0, notes.Count);
    }

    /// <summary>A wrong address, most likely: nobody waits for five more tries.</summary>
    [Theory]
    [InlineData("http://127.0.0.1:{0}/disk.raw", "Connection refused")]
    [InlineData("http://no-such-host.invalid/disk.raw", "no-such-host.invalid cannot be read")]
    public async Task A_server_that_is_not_there_is_not_waited_for(string address, string reason)
    {
        var port = new Uri(_server.Address).Port;
        _server.Dispose();
        var notes = new Notes();
        var refusal = await Assert.ThrowsAsync<VolumeStoreException>(async () =>
            await _images.ImportAsync(string.Format(CultureInfo.InvariantCulture, address, port), "golden", progress: notes));
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Nothing was imported", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(0, notes.Count);
    }

    [Fact]
    public async Task An_import_that_was_interrupted_goes_on_when_it_is_run_again()
    {
        var refusal = await InterruptedAsync();
        Assert.Contains("interrupted. 2097152 bytes are kept", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(_images.List());

        await ImportedAsync();
        Assert.Equal([0, 2 << 20], _server.Answers);
    }

    [Fact]
    public async Task What_cannot_be_fetched_leaves_nothing()
    {
        (_server.Status, _server.Content) = ("404 Not Found", []);
        await RefusedAsync(_server.Address, "answers 404 Not Found. Nothing was imported");
        // It speaks no TLS: no other try is made.
        _server.Greeting = "HTTP/1.1 400 Bad Request\r\n\r\n";
        await RefusedAsync(_server.Address.Replace("http:", "https:", StringComparison.Ordinal), "cannot be read");
        Assert.Equal(2, _server.Answers.Count);

        async Task RefusedAsync(string address, string reason)
        {
            var refusal = await Assert.ThrowsAsync<VolumeStoreException>(async () => await _images.ImportAsync(address, "golden"));
            Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
            Assert.Empty(Directory.GetFiles(_folder["images"]));
        }
    }

    [Fact]
    public async Task A_file_that_changed_meanwhile_is_fetched_anew()
    {
        await InterruptedAsync();

        (_server.Content, _server.Tag) = (Sample.Disk(seed: 2), "\"second\"");
        await ImportedAsync();
        Assert.Equal([0, 0], _server.Answers);
    }

    /// <summary>An import of which the server sends 2 MiB, and that the operator then gives up.</summary>
    private async Task<VolumeStoreException> InterruptedAsync()
    {
        _server.Hangs = true;
        _server.Breaks.Enqueue(2 << 20);
        using var interrupt = new CancellationTokenSource();
        // All that was sent has arrived before the operator gives up.
        var arrived = new Arrived(2 << 20);
        var import = _images.ImportAsync(_server.Address, "golden", progress: arrived, cancellation: interrupt.Token).AsTask();
        await arrived.Task;
        await interrupt.CancelAsync();
        return await Assert.ThrowsAsync<VolumeStoreException>(() => import);
    }

    private async Task ImportedAsync(IProgress<ImportProgress>? progress = null)
    {
        var image = await _images.ImportAsync(_server.Address, "golden", progress: progress);
        Assert.Equal(_server.Content, await File.ReadAllBytesAsync(image.Path));
        // Nothing is left of what was fetched.
        Assert.Equal(["golden@1.raw", "golden@1.raw.pieces"], Directory.GetFiles(_folder["images"]).Select(Path.GetFileName).Order());
    }

    /// <summary>How often it was said that another try is made.</summary>
    private sealed class Notes : IProgress<ImportProgress>
    {
        private int _count;

        public int Count => _count;

        public void Report(ImportProgress value)
        {
            if (value.Note is not null) Interlocked.Increment(ref _count);
        }
    }

    private sealed class Arrived(long bytes) : IProgress<ImportProgress>
    {
        private readonly TaskCompletionSource _completion = new();

        public Task Task => _completion.Task;

        public void Report(ImportProgress value)
        {
            if (value.At >= bytes) _completion.TrySetResult();
        }
    }
}
