namespace Slipway.Dhcp.Leases;

/// <summary>The store could not make leases durable, or not read them back.</summary>
public sealed class LeaseStoreException : Exception
{
    public LeaseStoreException(string message)
        : base(message)
    {
    }

    public LeaseStoreException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
