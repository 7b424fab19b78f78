using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Slipway.Fleet.Boots;
using Slipway.Fleet.Machines;
using Slipway.Server.Machines;
using Slipway.Server.Site;
using Slipway.Server.Syslog;
using Slipway.Server.Tests.Net;
using Slipway.Server.Timeline;

namespace Slipway.Server.Tests.Syslog;

/// <summary>Senders on loopback: 127.0.0.1 is node-1's address, 127.0.0.2 that of a machine which nobody approved, 127.0.0.3 nobody's.</summary>
public sealed class SyslogListenerTests : IAsyncDisposable
{
    private static readonly MacAddress Node = MacAddress.Parse("52:54:00:77:00:01");
    private static readonly MacAddress Stranger = MacAddress.Parse("52:54:00:77:00:02");

    private readonly ManualTime _clock = new();
    private readonly BootTimelines _timelines;
    private readonly EventLog<BootEvent> _events = new();
    private readonly LogLines _log = new();
    private readonly SyslogEvidence _evidence;
    private readonly SyslogListener _listener;

    public SyslogListenerTests()
    {
        _timelines = new BootTimelines(_clock);
        _timelines.Recorded += _events.Add;
        var machines = new MachineDirectory([new MachineSettings { Name = "node-1", Mac = Node, Volume = "node-1" }], address => address.ToString() switch
        {
            "127.0.0.1" => Node,
            "127.0.0.2" => Stranger,
            _ => null,
        });
        _evidence = new SyslogEvidence(_timelines, machines, _clock, _log);
        _listener = new SyslogListener(new IPEndPoint(IPAddress.Loopback, 0), _evidence.Observe, NullLogger.Instance);
        _listener.Start();
        _timelines.Observe(Node, "node-1", BootStage.Dhcp, "offered", starts: true);
        _timelines.Observe(Node, "node-1", BootStage.Kernel, "reads /vmlinuz");
    }

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    [Theory]
    [InlineData("--rfc5424")]
    [InlineData("--rfc3164")]
    public async Task Loggers_message_is_in_the_machines_timeline(string format)
    {
        Tool.Run("logger", "-d", "-n", "127.0.0.1", "-P", _listener.Endpoint.Port.ToString(CultureInfo.InvariantCulture), format, "-t", "initramfs", "-p", "daemon.err", "no disk: \x1b[1mgiving up");
        var message = await _events.WaitForAsync(e => e.Kind == BootEventKind.Message);
        Assert.Equal("says (err): initramfs: no disk: giving up", message.Text);
        Assert.Equal((BootStage.Kernel, "node-1"), (message.Stage, message.Machine));
        Assert.Equal(new Dictionary<string, string> { ["severity"] = "err", ["facility"] = "3", ["app"] = "initramfs" }, message.Facts);
        Assert.Equal([BootEventKind.Entered, BootEventKind.Entered, BootEventKind.Message], _timelines.EventsOf(Node).Select(e => e.Kind));
    }

    [Fact]
    public async Task A_datagram_of_any_length_is_one_message()
    {
        using var socket = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        await socket.SendAsync(Encoding.ASCII.GetBytes("<30>ipxe: " + new string('x', 60_000)), _listener.Endpoint);
        await socket.SendAsync("<30>ipxe: and on"u8.ToArray(), _listener.Endpoint);
        await _events.WaitForAsync(e => e.Text == "says: ipxe: and on");
        Assert.Equal(SyslogText.MaxLength + 1 + "says: ipxe: ".Length, _events.All.First(e => e.Kind == BootEventKind.Message).Text.Length);
    }

    [Fact]
    public void Strangers_are_counted_and_nothing_else()
    {
        for (var i = 0; i < 10_000; i++)
            Send("127.0.0.3", "<30>hello");
        // Nobody approved it, and it never asked to boot.
        Send("127.0.0.2", "<30>hello");
        Assert.Equal("syslog: 1 messages from addresses that are no machine's, the last from 127.0.0.3; not kept", Assert.Single(_log.All));
        _clock.Advance(TimeSpan.FromMinutes(1));
        Send("127.0.0.3", "<30>hello");
        Assert.Equal("syslog: 10001 messages from addresses that are no machine's, the last from 127.0.0.3; not kept", _log.All.Last());
        Assert.DoesNotContain(_events.All, e => e.Kind == BootEventKind.Message);
    }

    [Fact]
    public void Of_a_flood_the_timeline_keeps_the_latest_and_says_what_it_left_out()
    {
        for (var i = 0; i < 5_000; i++)
            Send("127.0.0.1", $"<30>line {i}");
        Assert.Equal(SyslogEvidence.Burst, _events.All.Count(e => e.Kind == BootEventKind.Message));
        Assert.Equal(2 + BootTimelines.MaxMessages, _timelines.EventsOf(Node).Count);
        Assert.Equal($"says: line {SyslogEvidence.Burst - 1}", _timelines.EventsOf(Node)[^1].Text);

        _clock.Advance(TimeSpan.FromSeconds(1));
        Send("127.0.0.1", "<30>later");
        Assert.Equal([$"says more than is kept: {5_000 - SyslogEvidence.Burst} messages were left out", "says: later"], _timelines.EventsOf(Node).TakeLast(2).Select(e => e.Text));
    }

    [Fact]
    public void A_machine_that_was_up_before_the_server_is_in_the_log()
    {
        var machines = new MachineDirectory([new MachineSettings { Name = "node-1", Mac = Node, Volume = "node-1" }], _ => Node);
        new SyslogEvidence(new BootTimelines(_clock), machines, _clock, _log).Observe(IPAddress.Loopback, "<30>sshd: hello"u8.ToArray());
        Assert.Equal("syslog: node-1 says: sshd: hello", Assert.Single(_log.All));
    }

    private void Send(string from, string datagram) => _evidence.Observe(IPAddress.Parse(from), Encoding.UTF8.GetBytes(datagram));
}
