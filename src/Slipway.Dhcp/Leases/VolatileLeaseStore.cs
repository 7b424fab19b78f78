using System.Collections.Concurrent;
using System.Net;

namespace Slipway.Dhcp.Leases;

/// <summary>Keeps leases as long as the process lives: for a private network that ends with it, and for proxy mode.</summary>
public sealed class VolatileLeaseStore : ILeaseStore
{
    private readonly ConcurrentDictionary<IPAddress, Lease> _leases = [];

    public IEnumerable<Lease> Load() => _leases.Values;

    public ValueTask CommitAsync(ReadOnlyMemory<Lease> leases, CancellationToken cancellation = default)
    {
        foreach (var lease in leases.Span)
            _leases[lease.Address] = lease;
        return ValueTask.CompletedTask;
    }
}
