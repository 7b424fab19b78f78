using System.Net;
using Slipway.Tftp.Wire;

namespace Slipway.Tftp.Server;

/// <summary>What may be read, and by whom.</summary>
public interface ITftpFiles
{
    /// <summary>
    /// <paramref name="name"/> is relative, with slashes, and without "." or ".." parts (<see cref="TftpName"/>).
    /// </summary>
    TftpAnswer Open(string name, IPEndPoint client);
}

/// <summary>Content, or a refusal.</summary>
public readonly record struct TftpAnswer
{
    public ITftpContent? Content { get; private init; }

    public TftpError Error { get; private init; }

    public string Reason { get; private init; }

    public static TftpAnswer Of(ITftpContent content) => new() { Content = content, Reason = "" };

    public static TftpAnswer Of(ReadOnlyMemory<byte> content) => Of(new MemoryContent(content));

    public static TftpAnswer Refuse(TftpError error, string reason) => new() { Error = error, Reason = reason };

    public static TftpAnswer NotFound(string name) => Refuse(TftpError.FileNotFound, $"there is no {name}");

    private sealed class MemoryContent(ReadOnlyMemory<byte> content) : ITftpContent
    {
        public long Length => content.Length;

        public int Read(long offset, Span<byte> buffer)
        {
            var part = content.Span[(int)Math.Min(offset, content.Length)..];
            part = part[..Math.Min(part.Length, buffer.Length)];
            part.CopyTo(buffer);
            return part.Length;
        }

        public void Dispose()
        {
        }
    }
}
