using System.Net;
using Microsoft.Data.Sqlite;
using Slipway.Fleet.Credentials;
using Slipway.Fleet.Machines;
using Slipway.Fleet.Store;

namespace Slipway.Fleet.Tests.Store;

public sealed class FleetStoreTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("slipway-test-").FullName;

    private string Database => Path.Combine(_folder, "slipway.db");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void The_secrets_of_the_latest_boot_survive_a_restart()
    {
        var latest = BootCredentials.Create("node-1");
        using (var store = FleetStore.Open(Database))
        {
            Assert.Null(store.CredentialsOf("node-1"));
            store.Save("node-1", BootCredentials.Create("node-1"));
            store.Save("node-1", latest);
            store.Save("node-2", BootCredentials.Create("node-2"));
        }
        using var again = FleetStore.Open(Database);
        Assert.Equal(latest, again.CredentialsOf("node-1"));
    }

    [Fact]
    public void Only_the_owner_may_read_the_database()
    {
        using var store = FleetStore.Open(Database);
        store.Save("node-1", BootCredentials.Create("node-1"));
        if (!OperatingSystem.IsWindows())
        {
            foreach (var file in Directory.GetFiles(_folder))
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }
    }

    [Fact]
    public void What_is_no_database_is_refused()
    {
        File.WriteAllText(Database, new string('x', 4096));
        Assert.Throws<FleetStoreException>(() => FleetStore.Open(Database));
        Assert.Throws<FleetStoreException>(() => FleetStore.Look(Database));
    }

    [Fact]
    public void A_database_of_the_first_version_is_brought_up_to_date_and_one_of_a_later_version_refused()
    {
        Sql("CREATE TABLE credential (machine TEXT PRIMARY KEY, user TEXT NOT NULL, secret TEXT NOT NULL, reverse_user TEXT NOT NULL, reverse_secret TEXT NOT NULL) WITHOUT ROWID;"
            + "INSERT INTO credential VALUES ('node-1', 'u', 's', 'r', 't')");
        Assert.Contains("slipway serve brings it up to date", Assert.Throws<FleetStoreException>(() => FleetStore.Look(Database)).Message, StringComparison.Ordinal);
        using (var store = FleetStore.Open(Database))
        {
            Assert.Equal("s", store.CredentialsOf("node-1")!.Secret);
            Assert.Empty(store.Machines());
        }
        using (var store = FleetStore.Look(Database))
            Assert.Empty(store.Machines());
        Sql("PRAGMA user_version = 1000");
        Assert.Contains("newer", Assert.Throws<FleetStoreException>(() => FleetStore.Open(Database)).Message, StringComparison.Ordinal);
        Assert.Contains("newer", Assert.Throws<FleetStoreException>(() => FleetStore.Look(Database)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Machines_are_there_after_a_restart_and_go_with_their_secrets()
    {
        var machine = new RegisteredMachine(MacAddress.Parse("52:54:00:77:00:01"), "node-1", "node-1", MachineFirmware.UBoot,
            IPAddress.Parse("10.0.0.1"), "an operator", DateTimeOffset.UnixEpoch);
        using (var store = FleetStore.Open(Database))
        {
            store.Add(machine);
            store.Add(machine with { Mac = MacAddress.Parse("52:54:00:77:00:02"), Name = "node-2", Volume = "node-2", Address = null });
            store.Save("node-1", BootCredentials.Create("node-1"));
        }
        using var again = FleetStore.Open(Database);
        Assert.Equal(machine, again.Machines()[0]);
        again.Remove(machine);
        Assert.Equal("node-2", Assert.Single(again.Machines()).Name);
        Assert.Null(again.CredentialsOf("node-1"));
    }

    private void Sql(string text)
    {
        using var connection = new SqliteConnection($"Data Source={Database};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100
        command.CommandText = text;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    [Fact]
    public void Secrets_are_long_different_each_time_and_not_printed()
    {
        var (a, b) = (BootCredentials.Create("node-1"), BootCredentials.Create("node-1"));
        Assert.Equal(4, new HashSet<string> { a.Secret, a.ReverseSecret, b.Secret, b.ReverseSecret }.Count);
        Assert.All((string[])[a.Secret, a.ReverseSecret], secret => Assert.Equal(32, secret.Length));
        Assert.DoesNotContain(a.Secret, a.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(a.ReverseSecret, a.ToString(), StringComparison.Ordinal);
    }
}
