namespace Slipway.Iscsi.Target;

/// <summary>Hears what happens to logins and sessions. Called on the connection's loop: it must not block.</summary>
public interface ITargetObserver
{
    void Observe(TargetEvent e);
}
