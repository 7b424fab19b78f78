using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Slipway.Bench.Peers;

/// <summary>An iSCSI target that runs: a process and where its LUN is found.</summary>
internal abstract class Peer : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly Process _process;

    protected Peer(Address address, string program, params IEnumerable<string> arguments)
        : this(address, new IPEndPoint(IPAddress.Loopback, address.Port), program, arguments)
    {
    }

    /// <param name="listens">Where it takes connections as soon as it is ready.</param>
    protected Peer(Address address, EndPoint listens, string program, params IEnumerable<string> arguments)
    {
        Address = address;
        var watch = Stopwatch.StartNew();
        // It ends with this program, however that ends.
        var start = new ProcessStartInfo("setpriv", ["--pdeathsig", "KILL", program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        _process = Process.Start(start)!;
        // Nobody reads what they print; a full pipe would stop them.
        _process.OutputDataReceived += (_, _) => { };
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        while (!Listens(listens))
        {
            if (_process.HasExited || watch.Elapsed > Patience)
                throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} does not listen on {listens}");
            Thread.Sleep(1);
        }
        StartTime = watch.Elapsed;
    }

    public int Id => _process.Id;

    /// <summary>From the start of the process until a connection is taken.</summary>
    public TimeSpan StartTime { get; }

    public Address Address { get; }

    /// <summary>Resident memory, in bytes.</summary>
    public long ResidentSet
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    public void Pin(string processors) => Tool.Pin(Id, processors);

    public virtual void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static bool Listens(EndPoint place)
    {
        using var socket = new Socket(place.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(place);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
