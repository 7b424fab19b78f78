using System.Net;
using Slipway.Dhcp.Tests.V6;
using Slipway.Dhcp.V6.Server;
using Slipway.Dhcp.V6.Wire;
using Slipway.Tests.Fuzz;

namespace Slipway.Dhcp.Tests.Fuzz;

/// <summary>Any packet of DHCPv6, from anywhere: an answer that can be read, addresses that may be given, or one line that says why not.</summary>
[Collection("Fuzz")]
public class Dhcp6FuzzTests
{
    private const int Executions = 500_000;

    private static readonly IPAddress[] Sources = [Conversation6.Source, IPAddress.Parse("fe80::2"), IPAddress.Parse("fd00:77::5")];

    [Fact]
    public async Task Any_packet_is_answered_or_explained()
    {
        var mutator = new Mutator(13);
        var seeds = Seeds();
        var input = new byte[1400];
        var c = new Conversation6();
        await FuzzRun.ExecuteAsync(Executions, i =>
        {
            var length = mutator.Mutate(seeds[i % seeds.Length], seeds[mutator.Next(seeds.Length)], input);
            var packet = input.AsMemory(0, length).ToArray();
            var outcome = c.Server.Handle(packet, new Dhcp6Arrival("eth0", Sources[mutator.Next(Sources.Length)]));
            if (outcome.Event.Text.AsSpan().ContainsAnyInRange('\0', '\x1F'))
                throw new InvalidOperationException($"the log line has control characters: {outcome.Event.Text}");
            foreach (var lease in outcome.Leases)
            {
                if (!Conversation6.Boot.Subnet.Contains(lease.Address) || lease.Address.Equals(Conversation6.Boot.ServerAddress))
                    throw new InvalidOperationException($"{lease.Address} was leased: {Convert.ToHexString(packet)}");
            }
            if (outcome.Reply is [not (byte)Dhcp6MessageType.RelayReply, ..] && !Dhcp6Message.TryRead(outcome.Reply, out _, out var reason))
                throw new InvalidOperationException($"{reason}: {Convert.ToHexString(packet)}");
            if (i % 1000 == 0)
                c.Clock.Advance(TimeSpan.FromMinutes(7));
        });
    }

    private static byte[][] Seeds()
    {
        var all = new List<byte[]>();
        foreach (var type in Enum.GetValues<Dhcp6MessageType>().Where(t => t is not Dhcp6MessageType.None and <= Dhcp6MessageType.InformationRequest))
        {
            foreach (var stage in (Action<Dhcp6Options>[])[Conversation6.Pxe, Conversation6.Http, Conversation6.Ipxe])
            {
                var message = new Dhcp6Message(type, 77);
                message.Options.Add(Dhcp6OptionCode.ClientIdentifier, Conversation6.System);
                if (type is Dhcp6MessageType.Request or Dhcp6MessageType.Renew or Dhcp6MessageType.Release or Dhcp6MessageType.Decline)
                    message.Options.Add(Dhcp6OptionCode.ServerIdentifier, Duid.Of(Conversation6.Card));
                Conversation6.Ask(message.Options, 1, stage, IPAddress.Parse("fd00:77::100"));
                all.Add(message.ToArray());
                all.Add(Dhcp6ServerTests.Forward(message.ToArray(), 0, IPAddress.Parse("fd00:77::2"), IPAddress.Parse("fe80::3"), [1, 2], [0, 1, 2, 0, 0, 0, 0, 3]));
            }
        }
        return [.. all];
    }
}
