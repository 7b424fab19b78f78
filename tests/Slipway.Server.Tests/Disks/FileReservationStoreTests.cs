using Slipway.Disks;
using Slipway.Scsi.Reservations;
using Slipway.Server.Disks;
using Slipway.Volumes;

namespace Slipway.Server.Tests.Disks;

public sealed class FileReservationStoreTests : IDisposable
{
    private static readonly Registration One = new("iqn.2026-11.test:one,i,0x00023d000001", 1, ulong.MaxValue);
    private static readonly Registration Two = new("iqn.2026-11.test:two,i,0x00023d000001", 2, 0xB);
    private readonly TemporaryFolder _folder = new();

    private string Disk => Path.Combine(_folder.Path, "disk.img");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(ReservationType.None, false)]
    [InlineData(ReservationType.WriteExclusive, true)]
    [InlineData(ReservationType.ExclusiveAccess, true)]
    [InlineData(ReservationType.WriteExclusiveRegistrantsOnly, true)]
    [InlineData(ReservationType.ExclusiveAccessRegistrantsOnly, true)]
    [InlineData(ReservationType.WriteExclusiveAllRegistrants, false)]
    [InlineData(ReservationType.ExclusiveAccessAllRegistrants, false)]
    public async Task What_was_saved_is_found_again(ReservationType type, bool hasHolder)
    {
        var state = new ReservationState([One, Two], type, hasHolder ? Two : null, SurvivesPowerLoss: true);
        await FileReservationStore.Beside(Disk)!.SaveAsync(state, CancellationToken.None);
        var found = FileReservationStore.Beside(Disk)!.Load()!;
        Assert.Equal([One, Two], found.Registrations);
        Assert.Equal((type, state.Holder, true), (found.Type, found.Holder, found.SurvivesPowerLoss));
    }

    [Fact]
    public async Task Nothing_to_keep_is_no_file()
    {
        var store = FileReservationStore.Beside(Disk)!;
        Assert.Null(store.Load());
        await store.SaveAsync(ReservationState.Empty, CancellationToken.None);
        await store.SaveAsync(new([One], ReservationType.None, null, SurvivesPowerLoss: true), CancellationToken.None);
        Assert.True(File.Exists(BesideDisk.Reservations(Disk)));
        await store.SaveAsync(ReservationState.Empty, CancellationToken.None);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("""{ "type": "none" }""")]
    [InlineData("""{ "type": "exclusive", "registrations": [] }""")]
    [InlineData("""{ "type": "writeExclusive", "registrations": [] }""")]
    [InlineData("""{ "type": 2, "registrations": [] }""")]
    [InlineData("""{ "type": "none", "registrations": [{ "initiator": "a", "port": 1, "key": "12" }] }""")]
    [InlineData("""{ "type": "none", "registrations": [{ "initiator": "a", "port": 70000, "key": "0x1" }] }""")]
    [InlineData("""{ "type": "none", "registrations": [{ "initiator": "a", "port": 1, "key": "0x1", "holds": true }] }""")]
    [InlineData("""{ "type": "none", "registrations": [], "holder": 1 }""")]
    public void A_damaged_file_is_refused(string text)
    {
        File.WriteAllText(BesideDisk.Reservations(Disk), text);
        var refusal = Assert.Throws<IOException>(() => FileReservationStore.Beside(Disk));
        Assert.Contains("cannot be read", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_is_gone_fails_the_command()
    {
        var store = FileReservationStore.Beside(Path.Combine(_folder.Path, "gone", "disk.img"))!;
        await Assert.ThrowsAsync<BlockDeviceException>(
            async () => await store.SaveAsync(new([One], ReservationType.None, null, SurvivesPowerLoss: true), CancellationToken.None));
    }

    [Fact]
    public void A_device_has_no_place_for_them() => Assert.Null(FileReservationStore.Beside("/dev/sda"));
}
