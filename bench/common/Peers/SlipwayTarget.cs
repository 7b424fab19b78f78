namespace Slipway.Bench.Peers;

/// <summary>The program as it is given to users, with CHAP.</summary>
internal sealed class SlipwayTarget : Peer
{
    private const string User = "bench";

    public SlipwayTarget(Bench bench) : this(bench, bench.Disk("slipway.img"), 14300)
    {
    }

    public SlipwayTarget(Bench bench, string disk, int port)
        : this(bench, disk, new Address(port, "iqn.2026-11.bench:slipway", 0, (User, Bench.Secret)))
    {
    }

    private SlipwayTarget(Bench bench, string disk, Address address)
        : base(address, bench.Slipway, "target", disk, "--portal", $"127.0.0.1:{address.Port}", "--iqn", address.Target, "--chap-user", User, "--chap-secret-file", bench.SecretFile, "--state", bench.State)
    {
    }
}
