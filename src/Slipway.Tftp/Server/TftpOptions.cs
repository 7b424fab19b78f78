using System.Globalization;
using Slipway.Tftp.Wire;

namespace Slipway.Tftp.Server;

/// <summary>
/// What was negotiated. An option that is unknown or has an illegal value is left out of the answer and so has no effect
/// (RFC 2347 §3); one that asks for too much is answered with what is allowed.
/// </summary>
internal sealed class TftpOptions
{
    private const int MinBlockSize = 8;
    private const int LargestBlockSize = 65464;

    private readonly List<(string, string)> _accepted = [];

    public TftpOptions(TftpRequest request, TftpLimits limits, long length)
    {
        foreach (var (name, text) in request.Options)
        {
            if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value))
                continue;
            switch (name)
            {
                case "blksize" when value is >= MinBlockSize and <= LargestBlockSize: // RFC 2348
                    BlockSize = (int)Math.Min(value, limits.MaxBlockSize);
                    Accept(name, BlockSize);
                    break;
                case "windowsize" when value is >= 1 and <= ushort.MaxValue: // RFC 7440 §4
                    WindowSize = (int)Math.Min(value, limits.MaxWindowSize);
                    Accept(name, WindowSize);
                    break;
                case "timeout" when value is >= 1 and <= byte.MaxValue: // RFC 2349
                    Timeout = TimeSpan.FromSeconds(value);
                    Accept(name, value);
                    break;
                case "tsize": // RFC 2349
                    AsksSize = true;
                    Accept(name, length);
                    break;
            }
        }
    }

    public int BlockSize { get; private set; } = 512;

    public int WindowSize { get; private set; } = 1;

    public TimeSpan? Timeout { get; private set; }

    public bool AsksSize { get; private set; }

    public IReadOnlyList<(string, string)> Accepted => _accepted;

    private void Accept(string name, long value)
    {
        if (_accepted.TrueForAll(a => a.Item1 != name))
            _accepted.Add((name, value.ToString(CultureInfo.InvariantCulture)));
    }
}
