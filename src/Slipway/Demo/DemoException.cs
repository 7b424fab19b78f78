namespace Slipway.Demo;

/// <summary>Why the demo cannot go on; the message tells the operator what to do.</summary>
internal sealed class DemoException(string message, Exception? inner = null) : Exception(message, inner);
