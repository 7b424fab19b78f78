namespace Slipway.Volumes.Store;

/// <summary>What the stores will not do; the message is for the operator.</summary>
public sealed class VolumeStoreException(string message, Exception? inner = null) : IOException(message, inner);
