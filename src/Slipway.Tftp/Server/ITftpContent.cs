namespace Slipway.Tftp.Server;

/// <summary>One open file. Blocks are read again for a retransmission, so nothing of it is kept in memory.</summary>
public interface ITftpContent : IDisposable
{
    long Length { get; }

    /// <summary>Fills the buffer, or less at the end of the file.</summary>
    int Read(long offset, Span<byte> buffer);
}
