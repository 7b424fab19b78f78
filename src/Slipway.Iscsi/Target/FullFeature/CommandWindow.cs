using Slipway.Iscsi.Pdu;

namespace Slipway.Iscsi.Target.FullFeature;

/// <summary>
/// ExpCmdSN and MaxCmdSN of a session (RFC 7143 §4.2.2.1). The window closes as commands come and opens as they end, so
/// that an initiator can never have more of them here than there is room for.
/// </summary>
internal sealed class CommandWindow(uint first, int limit)
{
    private uint _max = first + (uint)limit - 1;

    public uint Expected { get; private set; } = first;

    /// <summary>Commands that live here, immediate ones too.</summary>
    public int Outstanding { get; private set; }

    /// <summary>Never goes back: an initiator would not believe it (§11.4.10).</summary>
    public uint Max
    {
        get
        {
            var room = Expected + (uint)Math.Max(0, limit - Outstanding) - 1;
            if (SerialNumber.IsAfter(room, _max))
                _max = room;
            return _max;
        }
    }

    public bool Contains(uint cmdSN) => !SerialNumber.IsBefore(cmdSN, Expected) && !SerialNumber.IsAfter(cmdSN, Max);

    /// <summary>Immediate commands are outside the window; this is their bound.</summary>
    public bool HasRoomForImmediate => Outstanding < limit + limit / 4 + 1;

    public void Advance() => Expected++;

    public void Enter() => Outstanding++;

    public void Leave() => Outstanding--;
}
