using System.Runtime.InteropServices;

namespace Slipway.Server.Tests.Net;

/// <summary>
/// A network namespace of the test's own: nothing that is sent in it reaches the machine's networks. Sockets belong to the
/// namespace of the thread that makes them, so <see cref="Run"/> makes them on a thread that has moved there.
/// </summary>
internal sealed partial class NetworkNamespace : IDisposable
{
    private const int CloneNewNet = 0x40000000;
    private static int s_serial;

    public NetworkNamespace(string role)
    {
        Name = $"slw-{role}-{Environment.ProcessId}-{Interlocked.Increment(ref s_serial)}";
        Tool.Run("ip", "netns", "add", Name);
        Ip("link", "set", "lo", "up");
    }

    public string Name { get; }

    /// <summary>A cable between two namespaces: an interface of the same name in each.</summary>
    public static void Connect(NetworkNamespace a, NetworkNamespace b, string name, string? macOfB = null)
    {
        a.Ip("link", "add", name, "type", "veth", "peer", "name", name, "netns", b.Name);
        if (macOfB is not null)
            b.Ip("link", "set", name, "address", macOfB);
        a.Ip("link", "set", name, "up");
        b.Ip("link", "set", name, "up");
    }

    public void Ip(params string[] arguments) => Tool.Run("ip", ["-n", Name, .. arguments]);

    /// <summary>Runs a program inside to its end.</summary>
    public ToolResult Execute(params string[] command) => Tool.Try("ip", ["netns", "exec", Name, .. command]);

    /// <summary>Starts a program inside.</summary>
    public BackgroundTool Start(params string[] command) => new("ip", ["netns", "exec", Name, .. command]);

    public T Run<T>(Func<T> make)
    {
        T result = default!;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Enter();
                result = make();
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        return failure is null ? result : throw new InvalidOperationException($"in namespace {Name}: {failure.Message}", failure);
    }

    public void Dispose() => Tool.Run("ip", "netns", "delete", Name);

    private void Enter()
    {
        using var file = File.OpenHandle($"/run/netns/{Name}");
        if (SetNamespace((int)file.DangerousGetHandle(), CloneNewNet) != 0)
            throw new InvalidOperationException($"setns failed with errno {Marshal.GetLastPInvokeError()}: these tests need root");
    }

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(int descriptor, int type);
}
