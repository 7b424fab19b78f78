using System.Net.Sockets;
using Slipway.Bench.Peers;

namespace Slipway.Bench.Network.Peers;

/// <summary>The whole program: <c>slipway serve</c>. It is ready when its control socket, which it opens last, answers.</summary>
internal sealed class SlipwayServe(Bench bench, Wire wire, string site, string state)
    : Peer(new Address(0, "", 0), new UnixDomainSocketEndPoint(Path.Combine(state, "slipway.sock")), "ip", wire.InServers(bench.Slipway, "serve", "-c", site));
