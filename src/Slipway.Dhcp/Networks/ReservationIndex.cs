using Slipway.Dhcp.Clients;
using Slipway.Dhcp.Wire;

namespace Slipway.Dhcp.Networks;

/// <summary>
/// Finds a client's reservation among thousands. What names the machine goes before what names its port: hardware
/// address, UUID, client identifier, then option 82.
/// </summary>
internal sealed class ReservationIndex
{
    private readonly Dictionary<HardwareAddress, Reservation> _byHardware = [];
    private readonly Dictionary<Guid, Reservation> _byUuid = [];
    private readonly Dictionary<string, Reservation> _byClientId = [];
    private readonly List<Reservation> _byRelay = [];
    private readonly Dictionary<uint, Reservation> _byAddress = [];

    public ReservationIndex(IEnumerable<Reservation> reservations)
    {
        foreach (var reservation in reservations)
        {
            _byAddress[Ipv4.Number(reservation.Address)] = reservation;
            if (reservation.Hardware is { } hardware)
                _byHardware[hardware] = reservation;
            else if (reservation.Uuid is { } uuid)
                _byUuid[uuid] = reservation;
            else if (!reservation.ClientId.IsEmpty)
                _byClientId[Convert.ToHexString(reservation.ClientId.Span)] = reservation;
            else
                _byRelay.Add(reservation);
        }
    }

    public bool IsReserved(uint address) => _byAddress.ContainsKey(address);

    public Reservation? Find(DhcpClient client)
    {
        if (_byHardware.TryGetValue(client.Hardware, out var found))
            return found;
        if (_byUuid.Count > 0 && client.Uuid is { } uuid && _byUuid.TryGetValue(uuid, out found))
            return found;
        if (_byClientId.Count > 0 && !client.ClientId.IsEmpty && _byClientId.TryGetValue(Convert.ToHexString(client.ClientId.Span), out found))
            return found;
        return client.Relay is null ? null : _byRelay.Find(r => r.Matches(client));
    }
}
