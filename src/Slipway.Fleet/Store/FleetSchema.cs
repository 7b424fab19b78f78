namespace Slipway.Fleet.Store;

/// <summary>
/// The steps from an empty database to the present one. SQLite's <c>user_version</c> says how many were taken. A step
/// that was released never changes.
/// </summary>
internal static class FleetSchema
{
    public static readonly IReadOnlyList<string> Steps =
    [
        // The first databases had this table and no version.
        """
        CREATE TABLE IF NOT EXISTS credential (
            machine TEXT PRIMARY KEY, user TEXT NOT NULL, secret TEXT NOT NULL,
            reverse_user TEXT NOT NULL, reverse_secret TEXT NOT NULL) WITHOUT ROWID;
        """,
        """
        CREATE TABLE machine (
            mac TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, volume TEXT NOT NULL UNIQUE, firmware TEXT NOT NULL,
            address TEXT, approved_by TEXT NOT NULL, approved_ms INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE sighting (
            mac TEXT PRIMARY KEY, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, uuid TEXT, architecture TEXT,
            firmware TEXT, network TEXT, address TEXT, relay TEXT) WITHOUT ROWID;
        """,
        """
        CREATE TABLE client_certificate (
            serial TEXT PRIMARY KEY, machine TEXT NOT NULL, issued_ms INTEGER NOT NULL, ends_ms INTEGER NOT NULL,
            revoked_ms INTEGER, approval TEXT) WITHOUT ROWID;
        CREATE INDEX client_certificate_machine ON client_certificate (machine);
        """,
        """
        ALTER TABLE machine ADD COLUMN profile TEXT NOT NULL DEFAULT 'sanboot';
        CREATE TABLE boot_once (mac TEXT PRIMARY KEY, profile TEXT NOT NULL) WITHOUT ROWID;
        """,
    ];
}
