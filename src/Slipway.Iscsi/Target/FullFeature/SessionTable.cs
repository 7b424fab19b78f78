using Slipway.Scsi;

namespace Slipway.Iscsi.Target.FullFeature;

/// <summary>All normal sessions of a node, from whichever loop.</summary>
internal sealed class SessionTable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<SessionKey, Session> _byKey = [];
    private readonly Dictionary<ushort, Session> _byHandle = [];
    private readonly HashSet<ushort> _handles = [];
    private ushort _lastHandle;

    /// <summary>
    /// Takes a session in. Another with its name is returned, and keeps the name until it has ended: the caller ends it
    /// and tries again (session reinstatement, RFC 7143 §6.3.5).
    /// </summary>
    public Session? Claim(Session session)
    {
        lock (_gate)
        {
            if (!_byKey.TryAdd(session.Key, session))
                return _byKey[session.Key];
            _byHandle.Add(session.Tsih, session);
            return null;
        }
    }

    public Session? Find(ushort tsih)
    {
        lock (_gate)
            return _byHandle.GetValueOrDefault(tsih);
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

    public void Release(Session session)
    {
        lock (_gate)
        {
            if (_byHandle.Remove(session.Tsih))
                _byKey.Remove(session.Key);
            _handles.Remove(session.Tsih);
        }
    }

    public void ReleaseHandle(ushort tsih)
    {
        lock (_gate)
            _handles.Remove(tsih);
    }

    /// <summary>The sessions with this device, but for one.</summary>
    public List<Session> Others(ScsiTargetDevice device, Session? except)
    {
        lock (_gate)
            return [.. _byKey.Values.Where(s => s != except && s.Device == device)];
    }
}
