namespace Slipway.Iscsi.Target;

/// <summary>Fills a span with bytes that nobody can guess.</summary>
public delegate void Randomness(Span<byte> destination);
