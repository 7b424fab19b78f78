using System.Runtime.InteropServices;
using Slipway.Host;

namespace Slipway.Demo;

/// <summary>
/// Continues this program in a network namespace of its own. A namespace belongs to a thread, and a running .NET program
/// has many: so util-linux's unshare takes this process over and starts the program again inside.
/// </summary>
internal static partial class PrivateNamespace
{
    /// <summary>Does not return: the process goes on as the same command inside.</summary>
    /// <exception cref="DemoException">The system does not allow it.</exception>
    public static void Enter(IEnumerable<string> arguments)
    {
        PrivateNetwork.CheckTaps();
        string[] privilege = Environment.IsPrivilegedProcess ? [] : ["--user", "--map-root-user"];
        var (status, lastLines) = HostProgram.TryAsync("unshare", [.. privilege, "--net", "true"], CancellationToken.None).GetAwaiter().GetResult();
        if (status != 0)
            throw new DemoException($"this system gives the demo no network namespace ({string.Join(' ', lastLines)}): run it as root");
        string?[] command = ["unshare", .. privilege, "--net", "--", Environment.ProcessPath!, .. arguments, null];
        _ = execvp("unshare", command);
        throw new DemoException($"unshare cannot be started: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int execvp(string file, string?[] arguments);
}
