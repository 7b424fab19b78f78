using System.Net;
using System.Security.Cryptography;
using Slipway.Iscsi.Target.FullFeature;
using Slipway.Iscsi.Transfer;
using Slipway.Scsi;

namespace Slipway.Iscsi.Target;

/// <summary>What all connections of one target node share: whom to ask, whom to tell, sessions, buffers, bounds.</summary>
public sealed class TargetNode(
    ITargetDirectory directory,
    ITargetObserver observer,
    TimeProvider time,
    TargetLimits? limits = null,
    Randomness? randomness = null)
{
    internal ITargetDirectory Directory { get; } = directory;

    internal ITargetObserver Observer { get; } = observer;

    internal TimeProvider Time { get; } = time;

    internal TargetLimits Limits { get; } = limits ?? TargetLimits.Default;

    internal Randomness Randomness { get; } = randomness ?? RandomNumberGenerator.Fill;

    internal SessionTable Sessions { get; } = new();

    internal TaskPool Tasks { get; } = new();

    internal BufferPool Buffers { get; } = new((limits ?? TargetLimits.Default).KeptBuffers);

    /// <summary>
    /// A connection has come in. <paramref name="wake"/> is called, from any thread, when the connection has work that
    /// did not come by its socket: the loop that owns it then calls <see cref="TargetConnection.Run"/>.
    /// </summary>
    /// <param name="loggedIn">Called on that loop when the login is through, before its last response is sent.</param>
    public TargetConnection Accept(IPEndPoint remote, IPEndPoint portal, Action wake, Action<LoginFacts>? loggedIn = null) =>
        new(this, remote, portal, wake, loggedIn);

    /// <summary>Who is logged in to a device: what the first connection of each session said.</summary>
    public IReadOnlyList<LoginFacts> SessionsOf(ScsiTargetDevice device) => [.. Sessions.Others(device, except: null).Select(session => session.Facts)];

    /// <summary>
    /// Ends every session with a device: who holds one has no claim to it any more. Completes when they have ended, and
    /// the device has no command of theirs left.
    /// </summary>
    public Task EndSessionsAsync(ScsiTargetDevice device, string reason) => Task.WhenAll(Sessions.Others(device, except: null).Select(session =>
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        session.End(reason, ended.SetResult);
        return ended.Task;
    }));
}
