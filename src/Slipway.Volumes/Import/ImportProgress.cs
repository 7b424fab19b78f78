namespace Slipway.Volumes.Import;

/// <summary>How far one step of an import has come, in bytes; <paramref name="Total"/> is 0 where nobody knows.</summary>
/// <param name="Step"><c>download</c>, <c>check</c>, <c>unpack</c> or <c>copy</c>.</param>
/// <param name="Note">Why it does not come on just now, for whoever waits; null as long as it does.</param>
public readonly record struct ImportProgress(string Step, long At, long Total, string? Note = null);
