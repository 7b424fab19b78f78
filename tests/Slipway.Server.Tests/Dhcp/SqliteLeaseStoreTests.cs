using System.Net;
using Microsoft.Data.Sqlite;
using Slipway.Dhcp.Leases;
using Slipway.Dhcp.Wire;
using Slipway.Server.Dhcp;

namespace Slipway.Server.Tests.Dhcp;

public class SqliteLeaseStoreTests
{
    private static readonly IPAddress Address = IPAddress.Parse("10.0.0.10");
    private static readonly HardwareAddress One = HardwareAddress.Parse("52:54:00:00:00:01");
    private static readonly HardwareAddress Two = HardwareAddress.Parse("52:54:00:00:00:02");
    private static readonly DateTimeOffset Noon = new(2025, 6, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Leases_come_back_as_they_were()
    {
        using var folder = new TemporaryFolder();
        var lease = Lease(One, LeaseState.Bound, 0) with { ClientId = new byte[] { 1, 2, 3 }, HostName = "host", Uuid = Guid.NewGuid() };
        using (var store = Open(folder))
            await store.CommitAsync(new[] { lease });
        using var again = Open(folder);
        var read = Assert.Single(again.Load());
        Assert.Equal(lease with { ClientId = default }, read with { ClientId = default });
        Assert.Equal([1, 2, 3], read.ClientId.ToArray());
    }

    [Fact]
    public async Task A_renewal_moves_the_end_and_a_new_holder_makes_history()
    {
        using var folder = new TemporaryFolder();
        using var store = Open(folder);
        await store.CommitAsync(new[] { Lease(One, LeaseState.Bound, 0), Lease(One, LeaseState.Bound, 6) });
        var current = Assert.Single(store.Load());
        Assert.Equal((Noon, Noon.AddHours(18)), (current.Start, current.End));
        Assert.Empty(store.HistoryOf(Address));

        await store.CommitAsync(new[] { Lease(One, LeaseState.Released, 7), Lease(Two, LeaseState.Bound, 8) });
        Assert.Equal(Two, Assert.Single(store.Load()).Hardware);
        var history = store.HistoryOf(Address);
        Assert.Equal([(One, LeaseState.Released), (One, LeaseState.Bound)], history.Select(h => (h.Hardware, h.State)));
        Assert.Equal(Noon.AddHours(7), history[1].End);
        Assert.Equal(2, store.HistoryOf(One).Count);

        store.Forget(Noon.AddHours(7.5));
        Assert.Equal(LeaseState.Released, Assert.Single(store.HistoryOf(Address)).State);
    }

    [Fact]
    public void A_file_that_is_no_database_is_refused()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(Path.Combine(folder.Path, "leases.db"), new string('x', 5000));
        Assert.Throws<LeaseStoreException>(() => Open(folder));
    }

    [Fact]
    public async Task The_first_files_had_no_version_and_are_taken_over_a_later_one_is_refused_and_stays_as_it_was()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "leases.db");
        using (var store = Open(folder))
            await store.CommitAsync(new[] { Lease(One, LeaseState.Bound, 0) });
        SetVersion(0);
        using (var store = Open(folder))
            Assert.Equal(One, Assert.Single(store.Load()).Hardware);
        SetVersion(2);
        var before = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
        var refusal = Assert.Throws<LeaseStoreException>(() => Open(folder));
        Assert.Equal($"the leases in {file} cannot be opened: they are of a newer Slipway (version 2; this one knows 1)", refusal.Message);
        Assert.Equal(before, await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken));

        void SetVersion(int version)
        {
            using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
            connection.Open();
            using var command = connection.CreateCommand();
#pragma warning disable CA2100
            command.CommandText = $"PRAGMA user_version = {version}; PRAGMA wal_checkpoint(TRUNCATE)";
#pragma warning restore CA2100
            command.ExecuteNonQuery();
        }
    }

    [Fact]
    public void A_table_of_another_form_is_refused()
    {
        using var folder = new TemporaryFolder();
        using (var connection = new SqliteConnection($"Data Source={Path.Combine(folder.Path, "leases.db")};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "CREATE TABLE leases (address TEXT PRIMARY KEY, hardware BLOB NOT NULL)";
            command.ExecuteNonQuery();
        }
        Assert.Throws<LeaseStoreException>(() => Open(folder));
    }

    private static SqliteLeaseStore Open(TemporaryFolder folder) => new(Path.Combine(folder.Path, "leases.db"));

    private static Lease Lease(HardwareAddress hardware, LeaseState state, int hour) =>
        new(Address, "boot", hardware, state, Noon.AddHours(hour), Noon.AddHours(hour + 12));
}
