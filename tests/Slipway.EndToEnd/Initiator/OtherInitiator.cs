using Slipway.Server.Tests;
using Slipway.Server.Tests.Net;

namespace Slipway.EndToEnd.Initiator;

/// <summary>A session over libiscsi beside the machine's, which does what it is told, command by command (session.c).</summary>
internal sealed class OtherInitiator : IDisposable
{
    private readonly BackgroundTool _session;

    /// <param name="login">What the target is asked to let in: its portal and name, user and secret, reverse user and reverse secret.</param>
    public OtherInitiator(NetworkNamespace network, TemporaryFolder folder, string initiator, params string[] login)
    {
        var program = Path.Combine(folder.Path, "session");
        if (!File.Exists(program))
            Tool.Run("gcc", "-O2", "-Wall", "-Werror", "-o", program, Path.Combine(AppContext.BaseDirectory, "Initiator", "session.c"), "-liscsi");
        _session = network.Start([program, initiator, .. login]);
    }

    public void Dispose() => _session.Dispose();

    /// <inheritdoc cref="BackgroundTool.EndAsync"/>
    public Task<int> EndAsync(TimeSpan patience) => _session.EndAsync(patience);

    /// <summary>The command, and how it ended.</summary>
    public string Ask(string command)
    {
        _session.WaitFor("logged in");
        var word = command.Split(' ')[0] + " ";
        var before = _session.Lines.Count(l => l.StartsWith(word, StringComparison.Ordinal));
        _session.Type(command);
        _session.WaitFor(word, times: before + 1);
        return _session.Lines.Last(l => l.StartsWith(word, StringComparison.Ordinal));
    }
}
