using System.Text;
using Slipway.Server.Syslog;
using Slipway.Tests.Fuzz;

namespace Slipway.Server.Tests.Syslog;

[Collection("Fuzz")]
public sealed class SyslogMessageTests
{
    private const int Executions = 200_000;

    [Theory]
    // What each of them sends, taken from the wire or from its source.
    [InlineData("<30>ipxe: Could not boot: https://ipxe.org/2d0c618e\n", 3, SyslogSeverity.Informational, "ipxe", "Could not boot: https://ipxe.org/2d0c618e")] // iPXE, net/udp/syslog.c
    [InlineData("<30>node-1.lab ipxe: http://10.77.0.1/x... ok", 3, SyslogSeverity.Informational, "ipxe", "http://10.77.0.1/x... ok")] // iPXE with a host name
    [InlineData("<13>1 2026-11-26T18:51:08.123456+00:00 node-1 ops - - [timeQuality tzKnown=\"1\" isSynced=\"0\"] it works", 1, SyslogSeverity.Notice, "ops", "it works")] // logger -n
    [InlineData("<13>Nov 26 18:51:08 node-1 ops: it works", 1, SyslogSeverity.Notice, "ops", "it works")] // logger --rfc3164
    [InlineData("<13>Nov  6 18:51:08 root: it works\n", 1, SyslogSeverity.Notice, "root", "it works")] // busybox syslogd -R
    [InlineData("<6>2026-11-26T18:51:08.123456+00:00 node-1 kernel: [    0.5] sda: sda1 sda2", 0, SyslogSeverity.Informational, "kernel", "[    0.5] sda: sda1 sda2")] // rsyslog, RSYSLOG_ForwardFormat
    [InlineData("<86>Nov 26 18:51:08 node-1 sshd[812]: Accepted publickey", 10, SyslogSeverity.Informational, "sshd", "Accepted publickey")]
    // The examples of RFC 5424 §6.5 and RFC 3164 §5.4.
    [InlineData("<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \xEF\xBB\xBF'su root' failed for lonvick on /dev/pts/8", 4, SyslogSeverity.Critical, "su", "'su root' failed for lonvick on /dev/pts/8")]
    [InlineData("<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make the do-nuts.", 20, SyslogSeverity.Notice, "myproc", "%% It's time to make the do-nuts.")]
    [InlineData("<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut=\"3\" eventSource=\"Application\" eventID=\"1011\"] An application event log entry...", 20, SyslogSeverity.Notice, "evntslog", "An application event log entry...")]
    [InlineData("<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8", 4, SyslogSeverity.Critical, "su", "'su root' failed for lonvick on /dev/pts/8")]
    [InlineData("Use the BFG!", 1, SyslogSeverity.Notice, null, "Use the BFG!")]
    // What is nearly that.
    [InlineData("<13>1 - - - - - [a b=\"]\\\"\"][c] text", 1, SyslogSeverity.Notice, null, "text")]
    [InlineData("<13>1 apple and 2 pears", 1, SyslogSeverity.Notice, null, "1 apple and 2 pears")]
    [InlineData("<13>1 - host app - - [a b=\"never ends", 1, SyslogSeverity.Notice, null, "1 - host app - - [a b=\"never ends")]
    [InlineData("<192>no such facility", 1, SyslogSeverity.Notice, null, "<192>no such facility")]
    [InlineData("<>what", 1, SyslogSeverity.Notice, null, "<>what")]
    [InlineData("<30>Could not: boot", 3, SyslogSeverity.Informational, null, "Could not: boot")]
    public void Senders_are_understood(string datagram, int facility, SyslogSeverity severity, string? app, string text) =>
        Assert.Equal(new SyslogMessage(facility, severity, app, text), Parse(datagram));

    [Theory]
    [InlineData("")]
    [InlineData("<30>")]
    [InlineData("<30>ipxe: \n")]
    [InlineData("<13>1 2026-11-26T18:51:08Z host app - - -")]
    [InlineData("\x1b[2J\x1b[H\0\0")]
    public void What_says_nothing_is_none(string datagram) => Assert.Null(Parse(datagram));

    [Theory]
    [InlineData("a\tb\nc\r\n", "a b c")]
    [InlineData("\x1b[1;31mred\x1b[0m\x1b]0;title\a", "red]0;title\uFFFD")]
    [InlineData("x\x1b[", "x")]
    [InlineData("bell\a back\b del\x7f", "bell\uFFFD back\uFFFD del\uFFFD")]
    [InlineData("\xFF\xFE", "\uFFFD\uFFFD")] // no UTF-8
    [InlineData("\u00E2\u0080\u00AEevil", "\uFFFDevil")] // U+202E turns the line around
    [InlineData("\xE2\x80\xA8two", "two")] // U+2028
    [InlineData("\u00C2\u009B2J", "\uFFFD2J")] // C1's CSI
    [InlineData("gr\xC3\xBC\xC3\x9F", "grüß")]
    public void No_text_does_anything_to_a_terminal(string raw, string shown) => Assert.Equal(shown, Parse("<13>" + raw)!.Text);

    [Fact]
    public void A_long_message_is_cut()
    {
        var text = Parse("<13>" + new string('x', 60_000))!.Text;
        Assert.Equal(new string('x', SyslogText.MaxLength) + "…", text);
    }

    [Fact]
    public async Task Any_bytes_are_one_bounded_line()
    {
        string[] seeds =
        [
            "<30>node-1.lab ipxe: http://10.77.0.1/x... ok\x1b[0m",
            "<165>1 2003-10-11T22:14:15.003Z mymachine evntslog - ID47 [a@1 iut=\"3\" s=\"A\\]\\\"\"][b] \xEF\xBB\xBF grüß \x1b[1;31mred",
            "<34>Oct 11 22:14:15 mymachine su[12]: 'su root' failed\r\n",
            "<6>2026-11-26T18:51:08.123456+00:00 node-1 kernel: sda",
        ];
        var bytes = seeds.Select(Encoding.Latin1.GetBytes).ToList();
        var room = new byte[4096];
        var random = new Mutator(514);
        await FuzzRun.ExecuteAsync(Executions, _ =>
        {
            var length = random.Mutate(bytes[random.Next(bytes.Count)], bytes[random.Next(bytes.Count)], room);
            if (SyslogMessage.Parse(room.AsSpan(0, length)) is not { } message)
                return;
            Assert.InRange(message.Facility, 0, 23);
            Assert.InRange(message.Text.Length, 1, SyslogText.MaxLength + 1);
            Assert.True(message.App is null or { Length: > 0 and <= 48 });
            foreach (var c in message.Text + message.App)
                Assert.False(char.IsControl(c) || c is '\u2028' or '\u2029' or '\u202E', $"U+{(int)c:x4} in '{message.Text}'");
        });
    }

    // Latin-1, so that a test can write any byte.
    private static SyslogMessage? Parse(string datagram) => SyslogMessage.Parse(Encoding.Latin1.GetBytes(datagram));
}
