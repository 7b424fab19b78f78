using System.Globalization;
using System.Net;
using Microsoft.Data.Sqlite;
using Slipway.Dhcp.Leases;
using Slipway.Dhcp.Wire;

namespace Slipway.Server.Dhcp;

/// <summary>
/// Leases in SQLite: the latest of each address in <c>leases</c>, what an address was before in <c>lease_history</c>. A
/// renewal is not history: it moves the end of a lease. A batch is one transaction: it survives the death of the process,
/// and where <c>syncEachBatch</c> is set the death of the host too, at the price of one sync for each batch. Without it a
/// power cut may lose the last leases; conflict probes are what keeps their addresses from being given twice then.
/// </summary>
public sealed class SqliteLeaseStore : ILeaseStore, IDisposable
{
    /// <summary>SQLite's <c>user_version</c>. The first files had none (0), and are of this form.</summary>
    private const int Version = 1;

    private const string Schema = """
        PRAGMA journal_mode = WAL;
        PRAGMA wal_autocheckpoint = 8000;
        CREATE TABLE IF NOT EXISTS leases (
            address TEXT PRIMARY KEY, network TEXT NOT NULL, hardware_type INTEGER NOT NULL, hardware BLOB NOT NULL,
            state INTEGER NOT NULL, start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL,
            client_id BLOB NOT NULL, host_name TEXT, uuid TEXT) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS lease_history (
            address TEXT NOT NULL, network TEXT NOT NULL, hardware_type INTEGER NOT NULL, hardware BLOB NOT NULL,
            state INTEGER NOT NULL, start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL,
            client_id BLOB NOT NULL, host_name TEXT, uuid TEXT);
        CREATE INDEX IF NOT EXISTS lease_history_address ON lease_history (address, start_ms);
        CREATE INDEX IF NOT EXISTS lease_history_hardware ON lease_history (hardware, start_ms);
        CREATE TRIGGER IF NOT EXISTS lease_becomes_history BEFORE UPDATE ON leases
            WHEN OLD.hardware <> NEW.hardware OR OLD.state <> NEW.state
            BEGIN INSERT INTO lease_history VALUES (OLD.address, OLD.network, OLD.hardware_type, OLD.hardware, OLD.state,
                OLD.start_ms, min(OLD.end_ms, NEW.start_ms), OLD.client_id, OLD.host_name, OLD.uuid); END;
        """;

    private const string Upsert = """
        INSERT INTO leases VALUES ($address, $network, $type, $hardware, $state, $start, $end, $client, $host, $uuid)
        ON CONFLICT (address) DO UPDATE SET
            start_ms = CASE WHEN hardware = $hardware AND state = $state AND end_ms >= $start THEN start_ms ELSE $start END,
            network = $network, hardware_type = $type, hardware = $hardware, state = $state, end_ms = $end,
            client_id = $client, host_name = $host, uuid = $uuid
        """;

    private readonly Lock _gate = new();
    private readonly SqliteConnection _connection;
    private readonly SqliteCommand _upsert;

    /// <summary>Opens or makes the tables.</summary>
    /// <exception cref="LeaseStoreException">The file is no such database, or one of a newer Slipway; nothing in it was changed.</exception>
    public SqliteLeaseStore(string path, bool syncEachBatch = false)
    {
        _connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = 10 }.ToString());
        _upsert = _connection.CreateCommand();
        _upsert.CommandText = Upsert;
        foreach (var name in (string[])["$address", "$network", "$type", "$hardware", "$state", "$start", "$end", "$client", "$host", "$uuid"])
            _upsert.Parameters.Add(new SqliteParameter { ParameterName = name });
        try
        {
            _connection.Open();
            using var schema = _connection.CreateCommand();
            schema.CommandText = "PRAGMA user_version";
            var version = Convert.ToInt64(schema.ExecuteScalar(), CultureInfo.InvariantCulture);
            if (version > Version)
                throw new LeaseStoreException($"they are of a newer Slipway (version {version}; this one knows {Version})");
            schema.CommandText = $"PRAGMA synchronous = {(syncEachBatch ? "FULL" : "NORMAL")};\n{Schema}\nPRAGMA user_version = {Version};";
            schema.ExecuteNonQuery();
            _upsert.Prepare();
        }
        catch (Exception e) when (e is SqliteException or LeaseStoreException)
        {
            Dispose();
            throw new LeaseStoreException($"the leases in {path} cannot be opened: {e.Message}", e);
        }
    }

    public IEnumerable<Lease> Load() => Query("SELECT * FROM leases", null);

    /// <summary>Who had an address before its present lease, the latest first.</summary>
    public IReadOnlyList<Lease> HistoryOf(IPAddress address) =>
        Query("SELECT * FROM lease_history WHERE address = $key ORDER BY start_ms DESC LIMIT 1000", address.ToString());

    /// <summary>What a client had before its present lease, the latest first.</summary>
    public IReadOnlyList<Lease> HistoryOf(HardwareAddress hardware) =>
        Query("SELECT * FROM lease_history WHERE hardware = $key ORDER BY start_ms DESC LIMIT 1000", hardware.ToArray());

    /// <summary>Drops history that ended before then.</summary>
    public void Forget(DateTimeOffset before)
    {
        lock (_gate)
        {
            using var command = _connection.CreateCommand();
            command.CommandText = "DELETE FROM lease_history WHERE end_ms < $before";
            command.Parameters.AddWithValue("$before", before.ToUnixTimeMilliseconds());
            command.ExecuteNonQuery();
        }
    }

    public ValueTask CommitAsync(ReadOnlyMemory<Lease> leases, CancellationToken cancellation = default)
    {
        try
        {
            lock (_gate)
            {
                using var transaction = _connection.BeginTransaction();
                _upsert.Transaction = transaction;
                foreach (var lease in leases.Span)
                    Put(lease);
                transaction.Commit();
            }
            return ValueTask.CompletedTask;
        }
        catch (SqliteException e)
        {
            return ValueTask.FromException(new LeaseStoreException(e.Message, e));
        }
    }

    public void Dispose()
    {
        _upsert.Dispose();
        _connection.Dispose();
    }

    private void Put(Lease lease)
    {
        var p = _upsert.Parameters;
        p[0].Value = lease.Address.ToString();
        p[1].Value = lease.Network;
        p[2].Value = (long)lease.Hardware.Type;
        p[3].Value = lease.Hardware.ToArray();
        p[4].Value = (long)lease.State;
        p[5].Value = lease.Start.ToUnixTimeMilliseconds();
        p[6].Value = lease.End.ToUnixTimeMilliseconds();
        p[7].Value = lease.ClientId.ToArray();
        p[8].Value = (object?)lease.HostName ?? DBNull.Value;
        p[9].Value = (object?)lease.Uuid?.ToString() ?? DBNull.Value;
        _upsert.ExecuteNonQuery();
    }

    private List<Lease> Query(string sql, object? key)
    {
        lock (_gate)
        {
            using var command = _connection.CreateCommand();
            command.CommandText = sql;
            if (key is not null)
                command.Parameters.AddWithValue("$key", key);
            try
            {
                using var reader = command.ExecuteReader();
                var leases = new List<Lease>();
                while (reader.Read())
                    leases.Add(Read(reader));
                return leases;
            }
            catch (Exception e) when (e is SqliteException or FormatException or ArgumentException or InvalidCastException)
            {
                throw new LeaseStoreException($"the leases in {_connection.DataSource} cannot be read: {e.Message}", e);
            }
        }
    }

    private static Lease Read(SqliteDataReader row) => new(
        IPAddress.Parse(row.GetString(0)),
        row.GetString(1),
        new HardwareAddress(row.GetByte(2), row.GetFieldValue<byte[]>(3)),
        (LeaseState)row.GetInt32(4),
        DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(5)),
        DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(6)))
    {
        ClientId = row.GetFieldValue<byte[]>(7),
        HostName = row.IsDBNull(8) ? null : row.GetString(8),
        Uuid = row.IsDBNull(9) ? null : Guid.Parse(row.GetString(9)),
    };
}
