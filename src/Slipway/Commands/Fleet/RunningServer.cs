using System.CommandLine;
using System.Net;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Slipway.Commands.Volumes;
using Slipway.Server.Api;

namespace Slipway.Commands.Fleet;

/// <summary>The server that runs on this host, by the API on the socket in its state folder.</summary>
internal sealed class RunningServer : IDisposable
{
    private readonly HttpClient _http;

    public RunningServer(string state)
    {
        var socket = Path.Combine(state, ControlEndpoint.SocketFile);
        _http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellation) =>
            {
                var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellation);
                    return new NetworkStream(connection, ownsSocket: true);
                }
                catch (SocketException e)
                {
                    connection.Dispose();
                    throw new ServerException(e.SocketErrorCode == SocketError.AccessDenied
                        ? $"{socket} may not be opened: be the user that runs slipway serve, or root"
                        : $"no server runs with the state folder {state}: start slipway serve, or name its folder with --state", e);
                }
            },
        })
        {
            BaseAddress = new Uri("http://slipway/v1/"),
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>Null where no server runs with this state folder.</summary>
    /// <exception cref="ServerException">One may run, and this user may not ask it.</exception>
    public static async Task<RunningServer?> TryConnectAsync(string state, CancellationToken cancellation)
    {
        var socket = Path.Combine(state, ControlEndpoint.SocketFile);
        // Nor could one listen where the path is too long for a socket's address.
        if (!File.Exists(socket)) return null;
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await probe.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellation);
            return new RunningServer(state);
        }
        catch (SocketException e) when (e.SocketErrorCode != SocketError.AccessDenied)
        {
            return null;
        }
        catch (SocketException e)
        {
            throw new ServerException($"{socket} may not be opened: be the user that runs slipway serve, or root", e);
        }
    }

    public static string Print<T>(T value) => JsonSerializer.Serialize(value, typeof(T), ControlJson.Indented);

    public static string PrintLine<T>(T value) => JsonSerializer.Serialize(value, typeof(T), ControlJson.Default);

    public Task<T> GetAsync<T>(string path, CancellationToken cancellation) => AskAsync<T>(HttpMethod.Get, path, null, cancellation);

    public Task<T> PostAsync<T>(string path, object? body, CancellationToken cancellation) => AskAsync<T>(HttpMethod.Post, path, body, cancellation);

    public async Task PostAsync(string path, CancellationToken cancellation)
    {
        using var answer = await SendAsync(HttpMethod.Post, path, null, cancellation);
    }

    public async Task DeleteAsync(string path, CancellationToken cancellation)
    {
        using var answer = await SendAsync(HttpMethod.Delete, path, null, cancellation);
    }

    /// <exception cref="ServerException">There is no such thing to follow; or, in the end, the server stopped.</exception>
    public async IAsyncEnumerable<T> FollowAsync<T>(string path, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var answer = await SendAsync(HttpMethod.Get, path, null, cancellation);
        await using var stream = await answer.Content.ReadAsStreamAsync(cancellation);
        await using var items = SseParser.Create(stream, (_, data) => (T)JsonSerializer.Deserialize(data, typeof(T), ControlJson.Default)!).EnumerateAsync(cancellation).GetAsyncEnumerator(cancellation);
        while (await MoveOnAsync(items))
            yield return items.Current.Data;
        throw new ServerException("the server stopped");
    }

    public void Dispose() => _http.Dispose();

    private static async Task<bool> MoveOnAsync<T>(IAsyncEnumerator<SseItem<T>> items)
    {
        try
        {
            return await items.MoveNextAsync();
        }
        catch (IOException)
        {
            return false;
        }
    }

    private async Task<T> AskAsync<T>(HttpMethod method, string path, object? body, CancellationToken cancellation)
    {
        using var answer = await SendAsync(method, path, body, cancellation);
        return (T)(await answer.Content.ReadFromJsonAsync(typeof(T), ControlJson.Default, cancellation))!;
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, object? body, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body, ControlJson.Default.GetTypeInfo(body.GetType())!) };
        try
        {
            var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            if (answer.IsSuccessStatusCode)
                return answer;
            using (answer)
                throw new ServerException(await ReasonAsync(answer, cancellation));
        }
        catch (HttpRequestException e)
        {
            throw e.InnerException as ServerException ?? new ServerException($"the server did not answer: {e.Message}", e);
        }
    }

    private static async Task<string> ReasonAsync(HttpResponseMessage answer, CancellationToken cancellation)
    {
        var text = await answer.Content.ReadAsStringAsync(cancellation);
        if (answer.Content.Headers.ContentType?.MediaType == "application/problem+json"
            && JsonDocument.Parse(text).RootElement.TryGetProperty("detail", out var detail))
            return detail.GetString()!;
        return answer.StatusCode == HttpStatusCode.NotFound ? "the server does not know this request: is it of another version?" : $"the server answered {(int)answer.StatusCode}";
    }
}

internal static class ServerCommands
{
    /// <summary>Sets a command's action; what the server refuses is told, and ends with status 1.</summary>
    public static Command Asks(this Command command, Func<RunningServer, ParseResult, CancellationToken, Task> work)
    {
        command.SetAction(async (parsed, cancellation) =>
        {
            using var server = new RunningServer(parsed.GetRequiredValue(StoreCommand.State).FullName);
            try
            {
                await work(server, parsed, cancellation);
                return 0;
            }
            catch (ServerException e)
            {
                await CommandError.TellAsync(parsed.GetValue(StoreCommand.Json), e.Message);
                return 1;
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return 0;
            }
        });
        return command;
    }

    /// <summary>The same, for what has a result: text, or JSON with <c>--json</c>.</summary>
    public static Command Asks<T>(this Command command, Func<RunningServer, ParseResult, CancellationToken, Task<T>> work, Func<T, string> text) =>
        command.Asks(async (server, parsed, cancellation) =>
        {
            var result = await work(server, parsed, cancellation);
            var line = parsed.GetValue(StoreCommand.Json) ? RunningServer.Print(result) : text(result);
            if (line.Length > 0)
                Console.WriteLine(line);
            else
                StoreCommand.NoneThere(result);
        });
}
