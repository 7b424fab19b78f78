using Slipway.Scsi;

namespace Slipway.Iscsi.Target.FullFeature;

/// <summary>All normal sessions of a node, from whichever loop.</summary>
internal sealed class SessionTable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<SessionKey, TargetConnection> _byKey = [];
    private readonly HashSet<ushort> _handles = [];
    private ushort _lastHandle;

    /// <summary>
    /// Makes the connection the owner of the session's name. Another owner is returned, and keeps the name until it
    /// has let go of it: the caller ends it and tries again (session reinstatement, RFC 7143 §6.3.5).
    /// </summary>
    public TargetConnection? Claim(SessionKey key, TargetConnection connection)
    {
        lock (_gate)
            return _byKey.TryAdd(key, connection) || _byKey[key] == connection ? null : _byKey[key];
    }

    /// <summary>A session handle that no other session has; 0 where all are taken.</summary>
    public ushort NewHandle()
    {
        lock (_gate)
        {
            for (var i = 0; i < ushort.MaxValue; i++)
            {
                if (++_lastHandle != 0 && _handles.Add(_lastHandle))
                    return _lastHandle;
            }
            return 0;
        }
    }

    public void Release(SessionKey key, TargetConnection connection)
    {
        lock (_gate)
        {
            if (_byKey.TryGetValue(key, out var owner) && owner == connection)
                _byKey.Remove(key);
        }
    }

    public void ReleaseHandle(ushort tsih)
    {
        lock (_gate)
            _handles.Remove(tsih);
    }

    public bool Knows(ushort tsih)
    {
        lock (_gate)
            return _handles.Contains(tsih);
    }

    /// <summary>The connections that have a session with this device, but for one.</summary>
    public List<TargetConnection> Others(ScsiTargetDevice device, TargetConnection? except)
    {
        lock (_gate)
            return [.. _byKey.Values.Where(c => c != except && c.Device == device)];
    }
}
