using System.Globalization;
using System.Net;
using Microsoft.Data.Sqlite;
using Slipway.Fleet.Credentials;
using Slipway.Fleet.Machines;

namespace Slipway.Fleet.Store;

/// <summary>
/// The site's state in one SQLite file, which only its owner may read: it holds secrets. Writers share one connection,
/// since SQLite has one writer anyway. A committed row survives the death of the host.
/// </summary>
public sealed partial class FleetStore : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly Lock _gate = new();

    private FleetStore(SqliteConnection connection) => _connection = connection;

    /// <summary>Opens or makes the database, and brings an older one up to date.</summary>
    /// <exception cref="FleetStoreException">The file is no database, or one of a newer Slipway.</exception>
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
        return Open(path, SqliteOpenMode.ReadWriteCreate, store =>
        {
            store.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
            store.Migrate(path);
        });
    }

    /// <summary>Opens a database that is there, to read it, whoever else uses it.</summary>
    /// <exception cref="FleetStoreException">It cannot be read, or is of another version.</exception>
    public static FleetStore Look(string path) => Open(path, SqliteOpenMode.ReadOnly, store =>
    {
        if (store.Version(path) < FleetSchema.Steps.Count)
            throw new FleetStoreException($"{path} is of an older Slipway: slipway serve brings it up to date");
    });

    private static FleetStore Open(string path, SqliteOpenMode mode, Action<FleetStore> prepare)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, Mode = mode }.ToString());
        try
        {
            connection.Open();
            var store = new FleetStore(connection);
            prepare(store);
            return store;
        }
        catch (SqliteException e)
        {
            connection.Dispose();
            throw new FleetStoreException($"{path} cannot be opened: {e.Message}", e);
        }
        catch (FleetStoreException)
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

    public IReadOnlyList<RegisteredMachine> Machines()
    {
        lock (_gate)
        {
            using var command = Command("SELECT mac, name, volume, firmware, address, approved_by, approved_ms, profile FROM machine ORDER BY name");
            using var reader = command.ExecuteReader();
            var machines = new List<RegisteredMachine>();
            while (reader.Read())
            {
                machines.Add(new(MacAddress.Parse(reader.GetString(0)), reader.GetString(1), reader.GetString(2),
                    MachineFirmwareNames.Parse(reader.GetString(3)) ?? MachineFirmware.Detect,
                    reader.IsDBNull(4) ? null : IPAddress.Parse(reader.GetString(4)), reader.GetString(5), Time(reader, 6), reader.GetString(7)));
            }
            return machines;
        }
    }

    public void Add(RegisteredMachine machine)
    {
        lock (_gate)
        {
            using var command = Command("INSERT INTO machine VALUES ($mac, $name, $volume, $firmware, $address, $by, $at, $profile)");
            command.Parameters.AddWithValue("$mac", machine.Mac.ToString());
            command.Parameters.AddWithValue("$name", machine.Name);
            command.Parameters.AddWithValue("$volume", machine.Volume);
            command.Parameters.AddWithValue("$firmware", machine.Firmware.Name());
            command.Parameters.AddWithValue("$address", OrNull(machine.Address));
            command.Parameters.AddWithValue("$by", machine.ApprovedBy);
            command.Parameters.AddWithValue("$at", machine.ApprovedAt.ToUnixTimeMilliseconds());
            command.Parameters.AddWithValue("$profile", machine.Profile);
            command.ExecuteNonQuery();
        }
    }

    /// <summary>Forgets the secrets of a machine's latest boot.</summary>
    public void ForgetCredentials(string machine)
    {
        lock (_gate)
        {
            using var command = Command("DELETE FROM credential WHERE machine = $machine");
            command.Parameters.AddWithValue("$machine", machine);
            command.ExecuteNonQuery();
        }
    }

    /// <summary>Forgets a machine, its secrets and its certificates. Nothing happens where there is none.</summary>
    public void Remove(RegisteredMachine machine)
    {
        lock (_gate)
        {
            using var transaction = _connection.BeginTransaction();
            using var command = Command("DELETE FROM machine WHERE mac = $mac; DELETE FROM boot_once WHERE mac = $mac; DELETE FROM credential WHERE machine = $name; DELETE FROM client_certificate WHERE machine = $name;");
            command.Transaction = transaction;
            command.Parameters.AddWithValue("$mac", machine.Mac.ToString());
            command.Parameters.AddWithValue("$name", machine.Name);
            command.ExecuteNonQuery();
            transaction.Commit();
        }
    }

    /// <summary>The profile of a machine's next boot only; null where none was asked for.</summary>
    public string? BootOnce(MacAddress mac)
    {
        lock (_gate)
        {
            using var command = Command("SELECT profile FROM boot_once WHERE mac = $mac");
            command.Parameters.AddWithValue("$mac", mac.ToString());
            return command.ExecuteScalar() as string;
        }
    }

    /// <summary>Sets the profile of the next boot only; null: the next boot is as all are.</summary>
    public void SetBootOnce(MacAddress mac, string? profile)
    {
        lock (_gate)
        {
            using var command = Command(profile is null ? "DELETE FROM boot_once WHERE mac = $mac" : "INSERT OR REPLACE INTO boot_once VALUES ($mac, $profile)");
            command.Parameters.AddWithValue("$mac", mac.ToString());
            command.Parameters.AddWithValue("$profile", OrNull(profile));
            command.ExecuteNonQuery();
        }
    }

    /// <summary>A machine is kept elsewhere from now on; its secrets and certificates stay.</summary>
    public void Unregister(MacAddress mac)
    {
        lock (_gate)
        {
            using var command = Command("DELETE FROM machine WHERE mac = $mac");
            command.Parameters.AddWithValue("$mac", mac.ToString());
            command.ExecuteNonQuery();
        }
    }

    public IReadOnlyList<MachineSighting> Sightings()
    {
        lock (_gate)
        {
            using var command = Command("SELECT mac, first_ms, last_ms, uuid, architecture, firmware, network, address, relay FROM sighting");
            using var reader = command.ExecuteReader();
            var sightings = new List<MachineSighting>();
            while (reader.Read())
            {
                sightings.Add(new(MacAddress.Parse(reader.GetString(0)), Time(reader, 1), Time(reader, 2))
                {
                    Uuid = Text(reader, 3) is { } uuid ? Guid.Parse(uuid) : null,
                    Architecture = Text(reader, 4),
                    Firmware = Text(reader, 5),
                    Network = Text(reader, 6),
                    Address = Text(reader, 7) is { } address ? IPAddress.Parse(address) : null,
                    Relay = Text(reader, 8) is { } relay ? IPAddress.Parse(relay) : null,
                });
            }
            return sightings;
        }
    }

    /// <summary>Writes some sightings and drops others, as one transaction.</summary>
    public void Save(IReadOnlyList<MachineSighting> seen, IReadOnlyList<MacAddress> forgotten)
    {
        lock (_gate)
        {
            using var transaction = _connection.BeginTransaction();
            foreach (var sighting in seen)
            {
                using var command = Command("INSERT OR REPLACE INTO sighting VALUES ($mac, $first, $last, $uuid, $architecture, $firmware, $network, $address, $relay)");
                command.Transaction = transaction;
                command.Parameters.AddWithValue("$mac", sighting.Mac.ToString());
                command.Parameters.AddWithValue("$first", sighting.FirstSeen.ToUnixTimeMilliseconds());
                command.Parameters.AddWithValue("$last", sighting.LastSeen.ToUnixTimeMilliseconds());
                command.Parameters.AddWithValue("$uuid", OrNull(sighting.Uuid));
                command.Parameters.AddWithValue("$architecture", OrNull(sighting.Architecture));
                command.Parameters.AddWithValue("$firmware", OrNull(sighting.Firmware));
                command.Parameters.AddWithValue("$network", OrNull(sighting.Network));
                command.Parameters.AddWithValue("$address", OrNull(sighting.Address));
                command.Parameters.AddWithValue("$relay", OrNull(sighting.Relay));
                command.ExecuteNonQuery();
            }
            foreach (var mac in forgotten)
            {
                using var command = Command("DELETE FROM sighting WHERE mac = $mac");
                command.Transaction = transaction;
                command.Parameters.AddWithValue("$mac", mac.ToString());
                command.ExecuteNonQuery();
            }
            transaction.Commit();
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

    private static object OrNull(object? value) => value?.ToString() ?? (object)DBNull.Value;

    private static string? Text(SqliteDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    private static DateTimeOffset Time(SqliteDataReader reader, int column) => DateTimeOffset.FromUnixTimeMilliseconds(reader.GetInt64(column));

    // All steps or none: a server that dies halfway finds the old database again.
    private void Migrate(string path)
    {
        var version = Version(path);
        if (version == FleetSchema.Steps.Count)
            return;
        Execute(string.Create(CultureInfo.InvariantCulture,
            $"BEGIN;\n{string.Join('\n', FleetSchema.Steps.Skip(version))}\nPRAGMA user_version = {FleetSchema.Steps.Count};\nCOMMIT;"));
    }

    private int Version(string path)
    {
        using var ask = Command("PRAGMA user_version");
        var version = Convert.ToInt32(ask.ExecuteScalar(), CultureInfo.InvariantCulture);
        return version <= FleetSchema.Steps.Count
            ? version
            : throw new FleetStoreException($"{path} is of a newer Slipway (version {version} of the database; this one knows {FleetSchema.Steps.Count})");
    }

    private void Execute(string text)
    {
        using var command = Command(text);
        command.ExecuteNonQuery();
    }
}
