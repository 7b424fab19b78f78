using System.Net;

namespace Slipway.Tftp.Server;

public enum TftpEventKind
{
    Started,
    Done,

    /// <summary>The client asked for the size only.</summary>
    Probed,
    Failed,

    /// <summary>The request was answered with an error.</summary>
    Refused,
}

/// <param name="Bytes">Acknowledged by the client.</param>
/// <param name="Reason">Why it failed or was refused.</param>
public sealed record TftpEvent(TftpEventKind Kind, IPEndPoint Client, string Name, long Bytes, TimeSpan Elapsed, string Reason);

/// <summary>Is told of every transfer. Must be quick, must not throw, and may be called from several threads.</summary>
public interface ITftpObserver
{
    void Observe(TftpEvent tftpEvent);
}
