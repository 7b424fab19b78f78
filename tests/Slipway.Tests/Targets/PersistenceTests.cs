using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Slipway.Tests.Targets;

/// <summary>What outlives the process, and what the process outlives.</summary>
public sealed class PersistenceTests : IDisposable
{
    private const byte Register = 0, Reserve = 1, Clear = 3;
    private const byte ReadKeys = 0, ReadReservation = 1;
    private const byte WriteExclusiveRegistrantsOnly = 5;
    private const string One = "iqn.2026-11.test:one", Two = "iqn.2026-11.test:two", Three = "iqn.2026-11.test:three";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("raw")]
    [InlineData("qcow2")]
    public async Task Reservations_with_APTPL_outlive_a_kill(string format)
    {
        var disk = _folder[$"disk.{format}"];
        await Tool.RunAsync("qemu-img", "create", "-q", "-f", format, disk, "16M");
        string keys, reservation;
        await using (var target = await ServedTarget.StartAsync(disk))
        {
            using var one = new ReservingInitiator(target, One, 1);
            using var two = new ReservingInitiator(target, Two, 2);
            Assert.Equal(0, one.Out(Register, 0, 0, 0xA, aptpl: true));
            Assert.Equal(0, two.Out(Register, 0, 0, 0xB, aptpl: true));
            Assert.Equal(0, one.Out(Reserve, WriteExclusiveRegistrantsOnly, 0xA, 0));
            (keys, reservation) = (one.In(ReadKeys), one.In(ReadReservation));
            Assert.Equal("00000010000000000000000A000000000000000B", keys);
        }
        // Disposing of it is kill -9. Others can read what is kept.
        using (var kept = JsonDocument.Parse(await File.ReadAllTextAsync(disk + ".reservations.json")))
            Assert.Equal("writeExclusiveRegistrantsOnly", kept.RootElement.GetProperty("type").GetString());

        await using (var target = await ServedTarget.StartAsync(disk))
        {
            using var three = new ReservingInitiator(target, Three, 3);
            Assert.Equal((keys, reservation), (three.In(ReadKeys), three.In(ReadReservation)));
            Assert.Equal(0x18, three.Write());
            using var two = new ReservingInitiator(target, Two, 2);
            Assert.Equal(0, two.Write());
            Assert.Equal(0, two.Out(Clear, 0, 0xB, 0));
            Assert.Equal(0, three.Write());
        }
        Assert.False(File.Exists(disk + ".reservations.json"));
    }

    [Fact]
    public async Task Reservations_without_APTPL_do_not()
    {
        var disk = _folder["disk.raw"];
        await Tool.RunAsync("qemu-img", "create", "-q", "-f", "raw", disk, "16M");
        await using (var target = await ServedTarget.StartAsync(disk))
        {
            using var one = new ReservingInitiator(target, One, 1);
            Assert.Equal(0, one.Out(Register, 0, 0, 0xA, aptpl: true));
            Assert.Equal(0, one.Out(Register, 0, 0xA, 0xB));
        }
        await using (var target = await ServedTarget.StartAsync(disk))
        {
            using var one = new ReservingInitiator(target, One, 1);
            Assert.Equal("00000000", one.In(ReadKeys));
        }
    }

    [Fact]
    public async Task A_disk_whose_reservations_cannot_be_read_is_not_served()
    {
        var disk = _folder["disk.raw"];
        await Tool.RunAsync("qemu-img", "create", "-q", "-f", "raw", disk, "16M");
        await File.WriteAllTextAsync(disk + ".reservations.json", """{ "type": "writeExclusive", "registrations": [] }""");
        var (status, output) = await Tool.TryRunAsync(RunningTarget.Program, "target", disk, "--portal", "127.0.0.1:0");
        Assert.Equal(1, status);
        Assert.Contains("disk.raw.reservations.json keeps the persistent reservations of this disk and cannot be read", output, StringComparison.Ordinal);
    }

    /// <summary>Connections that it has no descriptors for wait until there are some.</summary>
    [Fact]
    public async Task Descriptors_that_run_out_end_nothing()
    {
        var disk = _folder["disk.raw"];
        await Tool.RunAsync("qemu-img", "create", "-q", "-f", "raw", disk, "16M");
        await using var target = await ServedTarget.StartWithAsync(["prlimit", "--nofile=256:256"], disk);
        await target.RunAsync("iscsi-inq");
        var crowd = new List<Socket>();
        try
        {
            for (var i = 0; i < 400; i++)
            {
                crowd.Add(new Socket(SocketType.Stream, ProtocolType.Tcp));
                await crowd[i].ConnectAsync(IPEndPoint.Parse(target.Portal));
            }
            await target.PrintsAsync("224 of 256 file descriptors are in use");
        }
        finally
        {
            crowd.ForEach(s => s.Dispose());
        }
        await target.RunAsync("iscsi-inq");
        Assert.Equal(0, await target.InterruptAsync());
    }
}
