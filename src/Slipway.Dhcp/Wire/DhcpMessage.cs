using System.Net;

namespace Slipway.Dhcp.Wire;

/// <summary>A DHCPv4 message (RFC 2131 §2). <see cref="DhcpMessageReader"/> and <see cref="DhcpMessageWriter"/> know its bytes.</summary>
public sealed class DhcpMessage
{
    public const int ServerNameLength = 64;
    public const int FileLength = 128;

    /// <summary>1 from clients and relays, 2 from servers.</summary>
    public byte Op { get; set; } = 1;

    public HardwareAddress Hardware { get; set; }

    public byte Hops { get; set; }

    public uint Xid { get; set; }

    public ushort Seconds { get; set; }

    public ushort Flags { get; set; }

    /// <summary>The client cannot take a unicast before it has its address (RFC 2131 §4.1).</summary>
    public bool Broadcast
    {
        get => (Flags & 0x8000) != 0;
        set => Flags = (ushort)(value ? Flags | 0x8000 : Flags & 0x7FFF);
    }

    public IPAddress ClientAddress { get; set; } = IPAddress.Any;

    public IPAddress YourAddress { get; set; } = IPAddress.Any;

    public IPAddress NextServer { get; set; } = IPAddress.Any;

    public IPAddress RelayAddress { get; set; } = IPAddress.Any;

    /// <summary>sname without its padding; empty where option 52 lent the field to options.</summary>
    public ReadOnlyMemory<byte> ServerName { get; set; }

    /// <summary>file without its padding; empty where option 52 lent the field to options.</summary>
    public ReadOnlyMemory<byte> File { get; set; }

    public DhcpOptions Options { get; } = new();

    public MessageType Type
    {
        get => Options.Find(OptionCode.MessageType) is { Length: 1 } v ? (MessageType)v.Span[0] : MessageType.None;
        set => Options.Set(OptionCode.MessageType, (byte)value);
    }

    public bool IsRelayed => !RelayAddress.Equals(IPAddress.Any);
}
