namespace Slipway.Host;

/// <summary>A program of this host is missing, or ended with an error; the message holds its last words.</summary>
internal sealed class HostProgramException(string message, Exception? inner = null) : Exception(message, inner);
