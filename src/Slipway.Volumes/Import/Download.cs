using System.Net;
using System.Net.Http.Headers;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using Slipway.Volumes.Raw;
using Slipway.Volumes.Store;

namespace Slipway.Volumes.Import;

/// <summary>
/// Fetches a file over HTTP or HTTPS into a folder, and goes on where an earlier try stopped (RFC 9110 §14: a range of
/// what If-Range names, so that a file that changed meanwhile is fetched anew). What names it lies beside the bytes.
/// </summary>
internal sealed class Download(string folder, Uri source)
{
    private const int Tries = 6;
    private const int BufferSize = 1 << 20;
    private static readonly HttpClient Client = new() { Timeout = Timeout.InfiniteTimeSpan };
    private static readonly TimeSpan Stalled = TimeSpan.FromSeconds(60), Pause = TimeSpan.FromSeconds(1);
    private long _total;

    /// <summary>Named after its address: the same import run again finds it.</summary>
    public string Path { get; } = System.IO.Path.Combine(folder, $".download-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(source.ToString())))[..16]}");

    private string TagPath => Path + ".tag";

    /// <exception cref="VolumeStoreException">It cannot be fetched; what is there stays for the next try.</exception>
    public async ValueTask FetchAsync(IProgress<ImportProgress>? progress, CancellationToken cancellation)
    {
        await using var file = OpenFile();
        try
        {
            await FetchAsync(file, progress, cancellation);
        }
        catch (VolumeStoreException) when (file.Length == 0)
        {
            Forget();
            throw;
        }
    }

    private async ValueTask FetchAsync(FileStream file, IProgress<ImportProgress>? progress, CancellationToken cancellation)
    {
        var begun = file.Length;
        for (var failures = 0; ;)
        {
            var before = file.Length;
            try
            {
                if (failures > 0) await Task.Delay(Pause * failures, cancellation);
                await FetchRestAsync(file, progress, cancellation);
                return;
            }
            catch (HttpRequestException e) when (e.InnerException is AuthenticationException || file.Length == begun && e.HttpRequestError is
                HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError)
            {
                // Another try meets the same certificate, and a server that was never there is more likely a wrong address than one that comes back.
                throw Unreadable(e, file.Length);
            }
            catch (Exception e) when (e is HttpRequestException { StatusCode: null } or HttpIOException or TimeoutException)
            {
                // A line that drops now and then is no reason to give up as long as bytes arrive.
                failures = file.Length > before ? 1 : failures + 1;
                if (failures >= Tries) throw Unreadable(e, file.Length);
                progress?.Report(new("download", file.Length, _total, $"{source.Host}: {ReasonOf(e)}; going on in {(Pause * failures).TotalSeconds:0} s"));
            }
            catch (OperationCanceledException e) when (cancellation.IsCancellationRequested)
            {
                throw new VolumeStoreException($"interrupted. {Kept(file.Length)}", e);
            }
        }
    }

    public void Forget()
    {
        File.Delete(Path);
        File.Delete(TagPath);
    }

    private FileStream OpenFile()
    {
        try
        {
            return new FileStream(Path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, bufferSize: 0, useAsync: true);
        }
        catch (IOException e) when (File.Exists(Path))
        {
            throw new VolumeStoreException($"another import is fetching {source}", e);
        }
    }

    private async ValueTask FetchRestAsync(FileStream file, IProgress<ImportProgress>? progress, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, source);
        var tag = File.Exists(TagPath) ? await File.ReadAllTextAsync(TagPath, cancellation) : "";
        if (file.Length > 0 && RangeConditionHeaderValue.TryParse(tag, out var condition))
        {
            request.Headers.Range = new RangeHeaderValue(file.Length, null);
            request.Headers.IfRange = condition;
        }
        using var response = await SoonAsync(soon => Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, soon), cancellation);
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && response.Content.Headers.ContentRange?.Length == file.Length) return;
        if (!response.IsSuccessStatusCode)
            throw new VolumeStoreException($"{source} answers {(int)response.StatusCode} {response.ReasonPhrase}. {Kept(file.Length)}");
        if (response.StatusCode == HttpStatusCode.PartialContent)
        {
            if (response.Content.Headers.ContentRange?.From != file.Length)
                throw new VolumeStoreException($"{source} answers with the range {response.Content.Headers.ContentRange}, and bytes from {file.Length} on were asked for");
        }
        else
        {
            file.SetLength(0);
            await File.WriteAllTextAsync(TagPath, TagOf(response), cancellation);
        }
        _total = response.Content.Headers.ContentLength is { } length ? file.Length + length : 0;
        await CopyAsync(response, file, progress, cancellation);
        if (_total > 0 && file.Length != _total) throw new HttpRequestException($"the answer ended after {file.Length} of {_total} bytes");
    }

    private async ValueTask CopyAsync(HttpResponseMessage response, FileStream file, IProgress<ImportProgress>? progress, CancellationToken cancellation)
    {
        await using var body = await response.Content.ReadAsStreamAsync(cancellation);
        var buffer = new byte[BufferSize];
        file.Position = file.Length;
        while (true)
        {
            var count = await SoonAsync(soon => body.ReadAsync(buffer, soon).AsTask(), cancellation);
            if (count == 0) return;
            await WriteAsync(file, buffer.AsMemory(0, count), cancellation);
            progress?.Report(new("download", file.Length, _total));
        }
    }

    /// <exception cref="TimeoutException">The server is silent.</exception>
    private static async ValueTask<T> SoonAsync<T>(Func<CancellationToken, Task<T>> ask, CancellationToken cancellation)
    {
        using var stalled = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        stalled.CancelAfter(Stalled);
        try
        {
            return await ask(stalled.Token);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"nothing arrived for {Stalled.TotalSeconds:0} seconds", e);
        }
    }

    private async ValueTask WriteAsync(FileStream file, ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        try
        {
            await file.WriteAsync(bytes, cancellation);
        }
        catch (IOException e) when (LinuxFile.IsNoSpace(e))
        {
            throw new VolumeStoreException($"no space is left for {source}. {Kept(file.Length)}", e);
        }
    }

    // A weak tag does not promise the same bytes (RFC 9110 §13.1.5); a date does where the server says so.
    private static string TagOf(HttpResponseMessage response) =>
        response.Headers.ETag is { IsWeak: false } tag ? tag.ToString()
        : response.Content.Headers.LastModified is { } date ? date.ToString("r")
        : "";

    private VolumeStoreException Unreadable(Exception e, long kept) => new($"{source.Host} cannot be read: {ReasonOf(e)}. {Kept(kept)}", e);

    // Of a TLS connection the outer exception only says that there is an inner one.
    private static string ReasonOf(Exception e) =>
        (e is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError, InnerException: { } inner } ? inner : e).Message.Trim().TrimEnd('.');

    private static string Kept(long bytes) => bytes > 0 ? $"{bytes} bytes are kept: run the same command again to go on from there" : "Nothing was imported";
}
