using System.Net.Sockets;
using System.Text;

namespace Slipway.Volumes.Store;

/// <summary>
/// How a command reaches the process that serves a volume: a socket beside the disk, one line there ("snapshot monday"),
/// one line back ("ok", or why not). Whoever may write in the folder may connect.
/// </summary>
internal sealed class VolumeControl : IAsyncDisposable
{
    public const string Snapshot = "snapshot", Grow = "grow";
    private const string Done = "ok";
    private const int LongestLine = 4096, LongestPath = 107;
    private readonly Socket _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly string _path;
    private readonly Task _loop;

    private VolumeControl(string path, Socket listener, Func<string, string, CancellationToken, ValueTask> handle)
    {
        (_path, _listener) = (path, listener);
        _loop = Task.Run(() => AcceptAsync(handle));
    }

    /// <summary>Null where the path is too long for a socket (sockaddr_un): the volume takes no requests then.</summary>
    /// <param name="handle">Does what is asked, given the verb and its argument; what it throws of the store or the disk is the answer.</param>
    public static VolumeControl? Listen(string path, Func<string, string, CancellationToken, ValueTask> handle)
    {
        if (Encoding.UTF8.GetByteCount(path) > LongestPath) return null;
        // Its last owner is dead, or else it would hold the volume's lock.
        File.Delete(path);
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        listener.Listen();
        return new(path, listener, handle);
    }

    /// <summary>False where no process serves the volume.</summary>
    /// <exception cref="VolumeStoreException">The process that serves it will not.</exception>
    public static async ValueTask<bool> TryAskAsync(string path, string verb, string argument, CancellationToken cancellation)
    {
        if (!File.Exists(path)) return false;
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionRefused or SocketError.AddressNotAvailable)
        {
            // Left behind by a process that was killed.
            return false;
        }
        await socket.SendAsync(Encoding.UTF8.GetBytes($"{verb} {argument}\n"), cancellation);
        var answer = await ReadLineAsync(socket, cancellation);
        if (answer == Done) return true;
        throw new VolumeStoreException(answer.Length > 0 ? answer : "the process that serves the volume ended before it answered");
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
        File.Delete(_path);
    }

    private async Task AcceptAsync(Func<string, string, CancellationToken, ValueTask> handle)
    {
        while (!_stop.IsCancellationRequested)
        {
            using var client = await _listener.AcceptAsync(_stop.Token);
            try
            {
                var words = (await ReadLineAsync(client, _stop.Token)).Split(' ', 2);
                await client.SendAsync(Encoding.UTF8.GetBytes(await AnswerAsync(words, handle) + "\n"), _stop.Token);
            }
            catch (SocketException)
            {
                // Whoever asked is gone; what it asked for is done or not, as if its answer had been lost.
            }
        }
    }

    private async ValueTask<string> AnswerAsync(string[] words, Func<string, string, CancellationToken, ValueTask> handle)
    {
        if (words.Length != 2) return "a request is a word and its argument";
        try
        {
            await handle(words[0], words[1], _stop.Token);
            return Done;
        }
        catch (Exception e) when (e is VolumeStoreException or IOException)
        {
            return e.Message.ReplaceLineEndings(" ");
        }
    }

    private static async ValueTask<string> ReadLineAsync(Socket socket, CancellationToken cancellation)
    {
        var bytes = new byte[LongestLine];
        var length = 0;
        while (length < bytes.Length)
        {
            var count = await socket.ReceiveAsync(bytes.AsMemory(length), cancellation);
            if (count == 0) break;
            length += count;
            if (bytes[length - 1] == '\n') break;
        }
        return Encoding.UTF8.GetString(bytes, 0, length).TrimEnd('\n');
    }
}
