namespace Slipway.Dhcp.Server;

/// <summary>Is told what came of every packet, after its answer was sent. Must be quick, and must not throw.</summary>
public interface IDhcpObserver
{
    void Observe(DhcpEvent dhcpEvent);
}
