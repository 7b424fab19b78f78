namespace Slipway.Bench;

/// <summary>The processors that a row's servers and clients run on; placement alone moves QD 1 fourfold.</summary>
internal sealed record Placement(string Server, string Client)
{
    public static readonly Placement TwoCores = new("1", "0");
    public static readonly Placement OneCore = new("0", "0");
    public static readonly Placement Free = new("0-1", "0-1");
}
