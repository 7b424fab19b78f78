using Microsoft.Data.Sqlite;
using Slipway.Fleet.Credentials;

namespace Slipway.Fleet.Store;

/// <summary>
/// The site's state in one SQLite file, which only its owner may read: it holds secrets. Writers share one connection,
/// since SQLite has one writer anyway. A committed row survives the death of the host.
/// </summary>
public sealed class FleetStore : IDisposable
{
    private const string Schema = """
        CREATE TABLE IF NOT EXISTS credential (
            machine TEXT PRIMARY KEY, user TEXT NOT NULL, secret TEXT NOT NULL,
            reverse_user TEXT NOT NULL, reverse_secret TEXT NOT NULL) WITHOUT ROWID;
        """;

    private readonly SqliteConnection _connection;
    private readonly Lock _gate = new();

    private FleetStore(SqliteConnection connection) => _connection = connection;

    /// <summary>Opens or makes the database. Throws <see cref="SqliteException"/> where the file is not one.</summary>
    public static FleetStore Open(string path)
    {
        if (!File.Exists(path) && !OperatingSystem.IsWindows())
        {
            using var _ = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.CreateNew, Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
        }
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        try
        {
            connection.Open();
            var store = new FleetStore(connection);
            store.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
            store.Execute(Schema);
            return store;
        }
        catch (SqliteException)
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>The secrets of the machine's latest boot: an operating system that logs in again after a restart still has them.</summary>
    public BootCredentials? CredentialsOf(string machine)
    {
        lock (_gate)
        {
            using var command = Command("SELECT user, secret, reverse_user, reverse_secret FROM credential WHERE machine = $machine");
            command.Parameters.AddWithValue("$machine", machine);
            using var reader = command.ExecuteReader();
            return reader.Read() ? new BootCredentials(reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetString(3)) : null;
        }
    }

    public void Save(string machine, BootCredentials credentials)
    {
        lock (_gate)
        {
            using var command = Command("INSERT OR REPLACE INTO credential VALUES ($machine, $user, $secret, $reverseUser, $reverseSecret)");
            command.Parameters.AddWithValue("$machine", machine);
            command.Parameters.AddWithValue("$user", credentials.User);
            command.Parameters.AddWithValue("$secret", credentials.Secret);
            command.Parameters.AddWithValue("$reverseUser", credentials.ReverseUser);
            command.Parameters.AddWithValue("$reverseSecret", credentials.ReverseSecret);
            command.ExecuteNonQuery();
        }
    }

    public void Dispose() => _connection.Dispose();

    private SqliteCommand Command(string text)
    {
        var command = _connection.CreateCommand();
        // Every text here is a constant; values go in as parameters.
#pragma warning disable CA2100
        command.CommandText = text;
#pragma warning restore CA2100
        return command;
    }

    private void Execute(string text)
    {
        using var command = Command(text);
        command.ExecuteNonQuery();
    }
}
