namespace Slipway.Commands.Fleet;

/// <summary>The running server cannot be asked, or refused; the message is for the operator.</summary>
internal sealed class ServerException(string message, Exception? inner = null) : Exception(message, inner);
