namespace Slipway.Bench.Peers;

/// <summary>The program as it is given to users, with CHAP.</summary>
internal sealed class SlipwayTarget : Peer
{
    private const string User = "bench";

    public SlipwayTarget(Bench bench, bool native = false)
        : this(bench, bench.Disk("slipway.img"), Of(14300), native ? bench.Native : bench.Slipway)
    {
    }

    public SlipwayTarget(Bench bench, string disk, int port)
        : this(bench, disk, Of(port), bench.Slipway)
    {
    }

    private SlipwayTarget(Bench bench, string disk, Address address, string program)
        : base(address, program, "target", disk, "--portal", $"127.0.0.1:{address.Port}", "--iqn", address.Target, "--chap-user", User, "--chap-secret-file", bench.SecretFile, "--state", bench.State)
    {
    }

    private static Address Of(int port) => new(port, "iqn.2026-11.bench:slipway", 0, (User, Bench.Secret));
}
