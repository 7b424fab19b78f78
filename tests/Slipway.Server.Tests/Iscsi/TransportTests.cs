using System.Net.Sockets;
using Slipway.Iscsi.Target;
using Slipway.Server.Iscsi;
using Slipway.Server.Iscsi.Epoll;
using Slipway.Server.Iscsi.Sockets;

namespace Slipway.Server.Tests.Iscsi;

/// <summary>What every transport must do; each test runs over all of them, with real sockets.</summary>
public sealed class TransportTests
{
    private static readonly int[] Sizes = [512, 4096, 4608, 65_536, 131_072, 262_144, 1 << 20];

    public static TheoryData<string> Transports => OperatingSystem.IsLinux() ? ["sockets", "one loop", "two loops"] : ["sockets"];

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task What_was_written_is_read(string transport)
    {
        await using var site = new TransportSite(Make(transport));
        using var initiator = site.LogIn();
        var data = new byte[65_536];
        new Random(2).NextBytes(data);
        initiator.Write(4096, data);
        Assert.Equal(0, initiator.Status);
        data.CopyTo(site.Content, 4096);
        foreach (var size in Sizes)
        {
            var read = new byte[size];
            initiator.Read(1024, read);
            Assert.Equal(site.Content.AsSpan(1024, size), read.AsSpan());
        }
        initiator.LogOut();
        Assert.True(initiator.IsClosedByTarget());
        var closed = Assert.IsType<Closed>(await site.Events.WaitForAsync(e => e is Closed));
        Assert.Equal(Sizes.Sum(), closed.BytesRead);
        Assert.Equal(data.Length, closed.BytesWritten);
    }

    /// <summary>More than the sockets hold: the target pauses, keeps the requests, and goes on where it was.</summary>
    [Theory]
    [MemberData(nameof(Transports))]
    public async Task An_initiator_that_does_not_listen_loses_nothing(string transport)
    {
        const int count = 120, size = 512 * 1024;
        await using var site = new TransportSite(Make(transport));
        using var initiator = site.LogIn(receiveBuffer: 65_536);
        for (var i = 0; i < count; i++)
            initiator.SendRead(i * 4096L, i % 3 == 0 ? 4096 : size);
        var read = new byte[size];
        for (var i = 0; i < count; i++)
        {
            var expected = i % 3 == 0 ? 4096 : size;
            initiator.ReceiveUntilStatus(read);
            Assert.Equal(site.Content.AsSpan(i * 4096, expected), read.AsSpan(0, expected));
        }
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_medium_that_answers_later_wakes_the_connection(string transport)
    {
        const int count = 64;
        await using var site = new TransportSite(Make(transport), disk => new ColdLayer(disk));
        using var initiator = site.LogIn();
        var data = new byte[4096];
        for (var round = 0; round < 20; round++)
        {
            Array.Fill(data, (byte)round);
            for (var i = 0; i < count; i++)
                initiator.SendWrite(i * 4096L, data);
            for (var i = 0; i < count; i++)
                initiator.ReceiveUntilStatus([]);
            for (var i = 0; i < count; i++)
                initiator.SendRead(i * 4096L, data.Length);
            for (var i = 0; i < count; i++)
            {
                var read = new byte[4096];
                initiator.ReceiveUntilStatus(read);
                Assert.Equal(data, read);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Sessions_side_by_side_get_their_own_answers(string transport)
    {
        await using var site = new TransportSite(Make(transport));
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Factory.StartNew(() => Work(site, i), TaskCreationOptions.LongRunning)));

        static void Work(TransportSite site, int number)
        {
            using var initiator = site.LogIn($"iqn.2026-11.test:{number}");
            WriteAndReadBack(initiator, number);
        }
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_request_may_come_byte_by_byte(string transport)
    {
        await using var site = new TransportSite(Make(transport));
        using var initiator = site.LogIn();
        initiator.Socket.NoDelay = true;
        var request = new byte[48];
        (request[0], request[1], request[18], request[27]) = (0x01, 0x81, 0x77, 2);
        foreach (var b in request)
            initiator.Socket.Send([b]);
        initiator.ReceiveUntilStatus([]);
        Assert.Equal(0, initiator.Status);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_session_that_is_ended_hears_it_by_a_closed_connection(string transport)
    {
        await using var site = new TransportSite(Make(transport));
        using var initiator = site.LogIn();
        await site.EndSessionsAsync("its volume is gone");
        Assert.True(initiator.IsClosedByTarget());
        Assert.Equal("its volume is gone", ((Closed)await site.Events.WaitForAsync(e => e is Closed)).Reason);
    }

    /// <summary>With replies under way, one line breaks; the others do not notice.</summary>
    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_broken_line_ends_its_session_only(string transport)
    {
        await using var site = new TransportSite(Make(transport));
        using var other = site.LogIn("iqn.2026-11.test:other");
        using (var initiator = site.LogIn(receiveBuffer: 65_536))
        {
            for (var i = 0; i < 100; i++)
                initiator.SendRead(0, 512 * 1024);
            // Unread data and no lingering: a reset, as from a machine that was switched off and on.
            initiator.Socket.LingerState = new LingerOption(true, 0);
        }
        var closed = (Closed)await site.Events.WaitForAsync(e => e is Closed);
        Assert.Equal("iqn.2026-11.test:a", closed.Facts.InitiatorName);
        var read = new byte[4096];
        other.Read(0, read);
        Assert.Equal(site.Content.AsSpan(0, 4096), read.AsSpan());
        // The same initiator comes back.
        using var again = site.LogIn();
        again.Read(0, read);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_login_that_takes_too_long_is_given_up(string transport)
    {
        var time = new ManualTime();
        await using var site = new TransportSite(Make(transport), time: time);
        using var working = site.LogIn("iqn.2026-11.test:other");
        using var silent = new Initiator(site.Portal);
        // Accepted in order: this one tells that the silent one has been, too.
        using var later = site.LogIn("iqn.2026-11.test:later");
        time.Advance(TimeSpan.FromSeconds(60));
        Assert.True(silent.IsClosedByTarget());
        working.TestUnitReady();
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_bug_of_the_disk_ends_a_command_and_nothing_else(string transport)
    {
        await using var site = new TransportSite(Make(transport), disk => new BuggyLayer(disk));
        using var initiator = site.LogIn();
        var read = new byte[4096];
        initiator.Read(0, read);
        Assert.Equal(2, initiator.Status);
        initiator.Read(4096, read);
        Assert.Equal(0, initiator.Status);
        Assert.Equal(site.Content.AsSpan(4096, 4096), read.AsSpan());
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Disposing_the_listener_ends_sessions_and_connections(string transport)
    {
        var site = new TransportSite(Make(transport));
        using var initiator = site.LogIn();
        using var nameless = new Initiator(site.Portal);
        await site.DisposeAsync();
        Assert.Equal(3, initiator.ReceiveEvent());
        Assert.True(initiator.IsClosedByTarget());
        Assert.Single(site.Events.All, e => e is Closed);
    }

    /// <summary>Commands of one session, numbered through, come by four connections on as many threads.</summary>
    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Connections_of_one_session_work_side_by_side(string transport)
    {
        await using var site = new TransportSite(Make(transport), disk => new ColdLayer(disk));
        using var first = site.LogIn();
        using var second = first.Join(site.Portal, 2);
        using var third = first.Join(site.Portal, 3);
        using var fourth = first.Join(site.Portal, 4);
        Initiator[] all = [first, second, third, fourth];
        await Task.WhenAll(all.Select((initiator, i) => Task.Factory.StartNew(() => WriteAndReadBack(initiator, i), TaskCreationOptions.LongRunning)));
        fourth.Socket.LingerState = new LingerOption(true, 0);
        fourth.Dispose();
        await site.Events.WaitForAsync(e => e is ConnectionClosed { Cid: 4 });
        second.TestUnitReady();
        first.LogOut();
        Assert.True(second.IsClosedByTarget());
        Assert.True(third.IsClosedByTarget());
        await site.Events.WaitForAsync(e => e is Closed);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_drained_target_asks_for_logouts_and_admits_nobody(string transport)
    {
        await using var site = new TransportSite(Make(transport));
        using var initiator = site.LogIn();
        var drained = site.Listener.DrainAsync(TimeSpan.FromMinutes(5));
        Assert.Equal(1, initiator.ReceiveEvent());
        using var late = new Initiator(site.Portal);
        Assert.Equal(0x0301, late.TryLogIn("iqn.2026-11.test:late"));
        initiator.TestUnitReady();
        Assert.False(drained.IsCompleted);
        initiator.LogOut();
        late.Dispose();
        await drained.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    /// <summary>TCP_USER_TIMEOUT and the keep-alive times of a connection, in seconds, as the kernel has them.</summary>
    [Theory]
    [InlineData(0x4000_0137_0001UL, 60, 120)]
    [InlineData(0x4000_2723_0000UL, 8 * 3600, 8 * 3600 + 360)]
    public void Only_an_initiator_with_a_kernel_is_given_up_after_minutes(ulong isid, int silence, int end)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var loopback = new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 3260);
        Liveness.Watch(socket, new LoginFacts(loopback, loopback, "iqn.2026-11.test:a", Initiator.Target, SessionType.Normal, isid));
        Assert.Equal(silence, socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime));
        if (!OperatingSystem.IsLinux())
            return;
        var timeout = new byte[4];
        Assert.Equal(4, socket.GetRawSocketOption(6, 18, timeout));
        Assert.Equal(end * 1000, BitConverter.ToInt32(timeout));
    }

    /// <summary>Near is whom a round trip was measured with: over loopback each connection, never one that is not connected.</summary>
    [Fact]
    public void Only_a_near_peer_bounds_the_send_buffer()
    {
        if (!OperatingSystem.IsLinux())
            return;
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var before = client.SendBufferSize;
        SendBuffer.Bound(client);
        Assert.Equal(before, client.SendBufferSize);
        listener.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        listener.Listen();
        client.Connect(listener.LocalEndPoint!);
        using var accepted = listener.Accept();
        SendBuffer.Bound(accepted);
        Assert.Equal(SendBuffer.NearBytes, accepted.SendBufferSize);
    }

    private static void WriteAndReadBack(Initiator initiator, int number)
    {
        var (written, read) = (new byte[8192], new byte[8192]);
        for (var round = 0; round < 200; round++)
        {
            Array.Fill(written, (byte)(number * 31 + round));
            initiator.Write(number << 20, written);
            initiator.Read(number << 20, read);
            Assert.Equal(written, read);
        }
    }

    internal static ITransport Make(string transport) => transport switch
    {
        "sockets" => new SocketTransport(),
        "one loop" => new EpollTransport(1),
        _ => new EpollTransport(2),
    };
}
