using System.Net;
using Slipway.Fleet.Machines;
using Slipway.Fleet.Store;

namespace Slipway.Fleet.Tests.Machines;

public sealed class MachineSightingsTests : IDisposable
{
    private static readonly MacAddress A = MacAddress.Parse("52:54:00:77:00:01"), B = MacAddress.Parse("52:54:00:77:00:02"), C = MacAddress.Parse("52:54:00:77:00:03");

    private readonly string _folder = Directory.CreateTempSubdirectory("slipway-test-").FullName;
    private readonly FleetStore _store;

    public MachineSightingsTests() => _store = FleetStore.Open(Path.Combine(_folder, "slipway.db"));

    public void Dispose()
    {
        _store.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void What_firmware_said_stays_when_iPXE_says_less()
    {
        var sightings = new MachineSightings(_store);
        sightings.See(At(A, 0) with { Uuid = Guid.Empty, Firmware = "PXEClient:Arch:00007", Relay = IPAddress.Loopback });
        sightings.See(At(A, 5) with { Address = IPAddress.Parse("10.0.0.1") });
        sightings.Save();
        var expected = At(A, 5) with
        {
            FirstSeen = DateTimeOffset.UnixEpoch, Uuid = Guid.Empty, Firmware = "PXEClient:Arch:00007", Relay = IPAddress.Loopback, Address = IPAddress.Parse("10.0.0.1"),
        };
        Assert.Equal(expected, sightings.Of(A));
        Assert.Equal(expected, new MachineSightings(_store).Of(A));
    }

    [Fact]
    public void Beyond_the_limit_the_one_that_was_silent_for_longest_is_forgotten()
    {
        var sightings = new MachineSightings(_store, limit: 2);
        sightings.See(At(A, 0));
        sightings.See(At(B, 1));
        sightings.Save();
        sightings.See(At(A, 2));
        sightings.See(At(C, 3));
        sightings.Save();
        Assert.Equal([A, C], new MachineSightings(_store).All.Select(s => s.Mac));
    }

    private static MachineSighting At(MacAddress mac, int second) => new(mac, DateTimeOffset.UnixEpoch.AddSeconds(second), DateTimeOffset.UnixEpoch.AddSeconds(second));
}
