namespace Slipway.Dhcp.Leases;

/// <summary>Keeps leases through restarts. An acknowledgement leaves the server only after its lease is committed.</summary>
public interface ILeaseStore
{
    /// <summary>The latest lease of each address.</summary>
    IEnumerable<Lease> Load();

    /// <summary>
    /// Makes a batch durable in one go; of two leases of one address the later in the batch counts. When the task ends
    /// without an exception all of them survive the death of the process. Throws <see cref="LeaseStoreException"/>.
    /// </summary>
    ValueTask CommitAsync(ReadOnlyMemory<Lease> leases, CancellationToken cancellation = default);
}
