using System.Net;

namespace Slipway.Server.Dhcp;

/// <summary>Finds out whether somebody uses an address.</summary>
public interface IAddressProbe
{
    Task<bool> AnswersAsync(IPAddress address, CancellationToken cancellation);
}

internal sealed class NoProbe : IAddressProbe
{
    public static readonly NoProbe Instance = new();

    public Task<bool> AnswersAsync(IPAddress address, CancellationToken cancellation) => Task.FromResult(false);
}
