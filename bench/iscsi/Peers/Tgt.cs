using Slipway.Bench.Peers;

namespace Slipway.Bench.Iscsi.Peers;

/// <summary>tgt of Debian, without CHAP, over a file like Slipway's.</summary>
internal sealed class Tgt : Peer
{
    private const string Control = "9";
    private static readonly Address Place = new(13260, "iqn.2026-11.bench:tgt", 1);

    static Tgt() => Directory.CreateDirectory("/run/tgtd");

    public Tgt(Bench bench)
        : this(bench.Disk("tgt.img"))
    {
    }

    public Tgt(string disk)
        : base(Place, "tgtd", "-f", "-C", Control, "--iscsi", $"portal=127.0.0.1:{Place.Port}")
    {
        Admin("--op", "new", "--mode", "target", "--tid", "1", "-T", Place.Target);
        Admin("--op", "new", "--mode", "logicalunit", "--tid", "1", "--lun", "1", "-b", disk);
        Admin("--op", "bind", "--mode", "target", "--tid", "1", "-I", "ALL");
    }

    private static void Admin(params IEnumerable<string> arguments) => Tool.Run("tgtadm", ["-C", Control, "--lld", "iscsi", .. arguments]);
}
