namespace Slipway.Fleet.Store;

/// <summary>The database cannot be used. The message says why.</summary>
public sealed class FleetStoreException : Exception
{
    public FleetStoreException(string message)
        : base(message)
    {
    }

    public FleetStoreException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public FleetStoreException()
    {
    }
}
