using Microsoft.Data.Sqlite;
using Slipway.Fleet.Credentials;
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
        Assert.Throws<SqliteException>(() => FleetStore.Open(Database));
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
