using System.Net;
using CsCheck;
using Slipway.Dhcp.Clients;
using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.Tests.Wire;

public class DhcpMessageTests
{
    private static readonly Gen<IPAddress> GenAddress = Gen.Byte.Array[4].Select(b => new IPAddress(b));

    // NUL ends a name on the wire, so names in messages have none.
    private static Gen<byte[]> GenName(int max) => Gen.Byte[1, 255].Array[0, max];

    private static readonly Gen<DhcpMessage> GenMessage =
        from head in Gen.Select(Gen.Byte[1, 2], Gen.Byte, Gen.Byte.Array[0, 16], Gen.UInt, Gen.UShort, Gen.UShort)
        from addresses in GenAddress.Array[4]
        from serverName in GenName(DhcpMessage.ServerNameLength)
        from file in GenName(DhcpMessage.FileLength)
        from options in Gen.Select(Gen.Byte[1, 254].Where(c => c != 52), Gen.Byte.Array[0, 400]).Array[0, 12]
        select Make(head, addresses, serverName, file, options);

    [Fact]
    public void What_is_written_is_read_back() => GenMessage.Sample(message =>
    {
        var packet = DhcpMessageWriter.Write(message, 8192, out var omitted);
        Assert.Empty(omitted);
        AssertSame(message, Read(packet));
    });

    [Fact]
    public void A_message_that_overflows_its_options_field_is_read_back_from_file_and_sname() => GenMessage.Sample(message =>
    {
        message.File = default;
        message.ServerName = default;
        var packet = DhcpMessageWriter.Write(message, 1000, out var omitted);
        Assert.True(packet.Length <= 1000);
        var read = Read(packet);
        foreach (var (code, value) in message.Options.All.Where(o => !omitted.Contains(o.Code)))
            Assert.Equal(value.ToArray(), read.Options.Find(code)!.Value.ToArray());
        Assert.All(omitted, code => Assert.False(read.Options.Has(code)));
    });

    [Fact]
    public void Anything_at_all_is_read_or_refused_with_a_reason() => Gen.Byte.Array[0, 600].Sample(bytes =>
    {
        if (!DhcpMessageReader.TryRead(bytes, out var message, out var reason))
            Assert.NotEmpty(reason);
        else
            _ = DhcpClient.From(message).ToString();
    });

    [Fact]
    public void A_damaged_message_is_read_or_refused_with_a_reason() =>
        Gen.Select(GenMessage, Gen.Int[0, 10_000], Gen.Byte).Sample((message, place, value) =>
        {
            var packet = DhcpMessageWriter.Write(message, 8192, out _);
            packet[place % packet.Length] = value;
            if (!DhcpMessageReader.TryRead(packet.AsMemory(0, packet.Length - place % 7), out var read, out var reason))
                Assert.NotEmpty(reason);
            else
                _ = DhcpClient.From(read).ToString();
        });

    [Theory]
    [InlineData(0, "0 bytes; a DHCP message has at least 240")]
    [InlineData(239, "239 bytes; a DHCP message has at least 240")]
    public void Short_packets_are_refused(int length, string reason)
    {
        Assert.False(DhcpMessageReader.TryRead(new byte[length], out _, out var why));
        Assert.Equal(reason, why);
    }

    [Fact]
    public void Each_malformation_has_its_reason()
    {
        Assert.Equal("op is 3; 1 and 2 exist", WhyNot(p => p[0] = 3));
        Assert.Equal("hlen is 17; chaddr has 16 bytes", WhyNot(p => p[2] = 17));
        Assert.Equal("no DHCP magic cookie", WhyNot(p => p[236] = 0));
        Assert.Equal("option 53 runs past the end of options", WhyNot(p => p[241] = 255));
    }

    [Fact]
    public void Option_82_is_the_last()
    {
        var message = new DhcpMessage();
        message.Options.Set(OptionCode.RelayAgentInformation, new byte[] { 1, 1, 7 });
        message.Options.Set(OptionCode.HostName, "host");
        var packet = DhcpMessageWriter.Write(message, 548, out _);
        Assert.Equal([12, 4, (byte)'h', (byte)'o', (byte)'s', (byte)'t', 82, 3, 1, 1, 7, 255], packet[240..252]);
    }

    [Fact]
    public void A_long_option_is_split_and_joined()
    {
        var message = new DhcpMessage();
        message.Options.Set(OptionCode.BootFileName, new string('x', 300));
        var packet = DhcpMessageWriter.Write(message, 1000, out _);
        Assert.Equal(255, packet[241]);
        Assert.Equal(45, packet[240 + 2 + 255 + 1]);
        Assert.Equal(new string('x', 300), Read(packet).Options.Text(OptionCode.BootFileName));
    }

    private static string WhyNot(Action<byte[]> damage)
    {
        var message = new DhcpMessage();
        message.Options.Set(OptionCode.MessageType, 1);
        var packet = DhcpMessageWriter.Write(message, 300, out _);
        damage(packet);
        Assert.False(DhcpMessageReader.TryRead(packet, out _, out var reason));
        return reason;
    }

    private static DhcpMessage Read(byte[] packet)
    {
        Assert.True(DhcpMessageReader.TryRead(packet, out var message, out var reason), reason);
        return message;
    }

    private static void AssertSame(DhcpMessage a, DhcpMessage b)
    {
        Assert.Equal((a.Op, a.Hardware, a.Hops, a.Xid, a.Seconds, a.Flags), (b.Op, b.Hardware, b.Hops, b.Xid, b.Seconds, b.Flags));
        Assert.Equal((a.ClientAddress, a.YourAddress, a.NextServer, a.RelayAddress), (b.ClientAddress, b.YourAddress, b.NextServer, b.RelayAddress));
        Assert.Equal(a.File.ToArray(), b.File.ToArray());
        Assert.Equal(a.ServerName.ToArray(), b.ServerName.ToArray());
        Assert.Equal(a.Options.Count, b.Options.Count);
        foreach (var (code, value) in a.Options.All)
            Assert.Equal(value.ToArray(), b.Options.Find(code)!.Value.ToArray());
    }

    private static DhcpMessage Make((byte Op, byte Type, byte[] Address, uint Xid, ushort Seconds, ushort Flags) head, IPAddress[] addresses, byte[] serverName, byte[] file, (byte Code, byte[] Value)[] options)
    {
        var message = new DhcpMessage
        {
            Op = head.Op,
            Hardware = new HardwareAddress(head.Type, head.Address),
            Xid = head.Xid,
            Seconds = head.Seconds,
            Flags = head.Flags,
            ClientAddress = addresses[0],
            YourAddress = addresses[1],
            NextServer = addresses[2],
            RelayAddress = addresses[3],
            ServerName = serverName,
            File = file,
        };
        foreach (var (code, value) in options)
            message.Options.Set((OptionCode)code, value);
        return message;
    }
}
