using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Slipway.Volumes.Tests.Import;

/// <summary>A web server with one file, whose connections break after so many bytes of it.</summary>
internal sealed class UnsteadyServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Task _serving;

    public UnsteadyServer()
    {
        _listener.Start();
        _serving = ServeAsync();
    }

    public string Address => $"http://{_listener.LocalEndpoint}/disk.raw";

    public byte[] Content { get; set; } = [];

    /// <summary>What whole answers begin with.</summary>
    public string Status { get; set; } = "200 OK";

    public string Tag { get; set; } = "\"first\"";

    /// <summary>How many bytes an answer has before its connection breaks; an answer takes the next of them, and is whole after the last.</summary>
    public Queue<int> Breaks { get; } = [];

    /// <summary>The first byte of each answer, in the order in which they were asked for.</summary>
    public List<int> Answers { get; } = [];

    /// <summary>What is said before anything is asked, instead of an answer: other protocols do.</summary>
    public string? Greeting { get; set; }

    /// <summary>Whether answers that break stay open, and silent, instead.</summary>
    public bool Hangs { get; set; }

    public void Dispose()
    {
        _listener.Dispose();
        _serving.ContinueWith(_ => { }, TaskScheduler.Default).Wait();
    }

    private async Task ServeAsync()
    {
        var open = new List<TcpClient>();
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync();
                if (await AnswerAsync(client)) open.Add(client);
                else client.Dispose();
            }
        }
        finally
        {
            open.ForEach(c => c.Dispose());
        }
    }

    // Whether the connection stays open.
    private async Task<bool> AnswerAsync(TcpClient client)
    {
        if (Greeting is { } greeting)
        {
            Answers.Add(0);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(greeting));
            return true;
        }
        using var reader = new StreamReader(client.GetStream(), Encoding.ASCII, leaveOpen: true);
        var (from, condition) = (0, Tag);
        while (await reader.ReadLineAsync() is { Length: > 0 } line)
        {
            if (line.StartsWith("Range: bytes=", StringComparison.Ordinal)) from = int.Parse(line["Range: bytes=".Length..^1], CultureInfo.InvariantCulture);
            if (line.StartsWith("If-Range: ", StringComparison.Ordinal)) condition = line["If-Range: ".Length..];
        }
        if (condition != Tag) from = 0;
        Answers.Add(from);
        var head = from > 0 ? $"206 Partial Content\r\nContent-Range: bytes {from}-{Content.Length - 1}/{Content.Length}" : Status;
        var body = Content.AsMemory(from);
        var breaks = Breaks.TryDequeue(out var most) && most < body.Length;
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {head}\r\nETag: {Tag}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n"));
        await client.GetStream().WriteAsync(breaks ? body[..most] : body);
        return breaks && Hangs;
    }
}
