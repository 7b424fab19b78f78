using System.Net;
using CsCheck;
using Slipway.Dhcp.Leases;
using Slipway.Dhcp.Server;
using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.Tests.Server;

public class OneAddressOneClientTests
{
    private static readonly Gen<(int Client, int What, int Address, int Minutes)> GenStep =
        Gen.Select(Gen.Int[1, 6], Gen.Int[0, 7], Gen.Int[8, 14], Gen.Int[0, 600]);

    /// <summary>Whatever six clients do with three addresses, at no time do two of them have the same one.</summary>
    [Fact]
    public void No_two_clients_have_one_address() => GenStep.Array[1, 60].Sample(steps =>
    {
        var c = new Conversation();
        var held = new Dictionary<IPAddress, (string Mac, DateTimeOffset End)>();
        foreach (var (client, what, number, minutes) in steps)
        {
            var mac = $"52:54:00:00:00:0{client}";
            var address = IPAddress.Parse($"10.0.0.{number}");
            var answer = what switch
            {
                0 => c.Discover(mac),
                1 => c.Discover(mac, m => m.Options.Set(OptionCode.RequestedAddress, address)),
                2 => c.Discover(mac) is { Reply: { } offer } ? c.Select(offer.YourAddress, mac) : null,
                3 => c.Select(address, mac),
                4 => c.Reboot(address.ToString(), mac),
                5 => c.Renew(address.ToString(), mac),
                6 => c.Send(MessageType.Release, mac, m => m.ClientAddress = address),
                _ => c.Send(MessageType.Decline, mac, m => m.Options.Set(OptionCode.RequestedAddress, address)),
            };
            if (answer?.Outcome.Lease is { } lease)
            {
                if (lease.State == LeaseState.Bound)
                    Assert.True(!held.TryGetValue(lease.Address, out var holder) || holder.Mac == mac || holder.End <= c.Clock.GetUtcNow(), $"{lease.Address} was {holder}'s when {mac} got it");
                held[lease.Address] = (mac, lease.State == LeaseState.Bound ? lease.End : c.Clock.GetUtcNow());
                // A client that takes an address leaves its former one: it has one card and one address here.
                foreach (var former in held.Where(h => h.Value.Mac == mac && !h.Key.Equals(lease.Address)).Select(h => h.Key).ToList())
                    held.Remove(former);
            }
            c.Clock.Advance(TimeSpan.FromMinutes(minutes));
        }
    });

    [Fact]
    public void Random_packets_are_answered_or_not_but_never_break_the_server() => Gen.Byte.Array[0, 600].Sample(noise =>
    {
        var c = new Conversation();
        var outcome = c.Server.Handle(noise, new Arrival("eth0", IPAddress.Any, 68));
        Assert.NotEmpty(outcome.Event.Text);
    });

    [Fact]
    public void Damaged_requests_are_answered_or_not_but_never_break_the_server() =>
        Gen.Select(Gen.Int[0, 500], Gen.Byte, Gen.Byte[1, 8], Gen.Int[0, 60]).Sample((place, value, type, cut) =>
        {
            var c = new Conversation();
            var message = new DhcpMessage { Hardware = HardwareAddress.Parse(Conversation.Mac), Type = (MessageType)type };
            Conversation.Ipxe(message);
            message.Options.Set(OptionCode.RelayAgentInformation, new byte[] { 1, 2, 3, 4 });
            var packet = DhcpMessageWriter.Write(message, 548, out _);
            packet[place % packet.Length] = value;
            Assert.NotEmpty(c.Server.Handle(packet.AsMemory(0, packet.Length - cut), new Arrival("eth0", IPAddress.Any, 68)).Event.Text);
        });
}
