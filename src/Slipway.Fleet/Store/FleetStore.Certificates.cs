using Slipway.Fleet.Credentials;

namespace Slipway.Fleet.Store;

public sealed partial class FleetStore
{
    public void Add(ClientCertificate certificate)
    {
        lock (_gate)
        {
            using var command = Command("INSERT INTO client_certificate VALUES ($serial, $machine, $issued, $ends, NULL, $approval)");
            command.Parameters.AddWithValue("$serial", certificate.Serial);
            command.Parameters.AddWithValue("$machine", certificate.Machine);
            command.Parameters.AddWithValue("$issued", certificate.Issued.ToUnixTimeMilliseconds());
            command.Parameters.AddWithValue("$ends", certificate.Ends.ToUnixTimeMilliseconds());
            command.Parameters.AddWithValue("$approval", OrNull(certificate.Approval));
            command.ExecuteNonQuery();
        }
    }

    /// <summary>All that were issued for machines that were not removed since, the latest first.</summary>
    public IReadOnlyList<ClientCertificate> ClientCertificates() => Certificates("TRUE", "");

    public ClientCertificate? ClientCertificate(string serial) => Certificates("serial = $value", serial).FirstOrDefault();

    public IReadOnlyList<ClientCertificate> ClientCertificatesOf(string machine) => Certificates("machine = $value", machine);

    /// <summary>False where there is none of that serial that was not revoked before.</summary>
    public bool Revoke(string serial, DateTimeOffset at)
    {
        lock (_gate)
        {
            using var command = Command("UPDATE client_certificate SET revoked_ms = $at WHERE serial = $serial AND revoked_ms IS NULL");
            command.Parameters.AddWithValue("$serial", serial);
            command.Parameters.AddWithValue("$at", at.ToUnixTimeMilliseconds());
            return command.ExecuteNonQuery() > 0;
        }
    }

    private List<ClientCertificate> Certificates(string where, string value)
    {
        lock (_gate)
        {
            using var command = Command($"SELECT serial, machine, issued_ms, ends_ms, revoked_ms, approval FROM client_certificate WHERE {where} ORDER BY issued_ms DESC, serial");
            command.Parameters.AddWithValue("$value", value);
            using var reader = command.ExecuteReader();
            var certificates = new List<ClientCertificate>();
            while (reader.Read())
            {
                certificates.Add(new(reader.GetString(0), reader.GetString(1), Time(reader, 2), Time(reader, 3),
                    reader.IsDBNull(4) ? null : Time(reader, 4), Text(reader, 5)));
            }
            return certificates;
        }
    }
}
