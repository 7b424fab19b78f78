using System.CommandLine;
using System.Text;
using Slipway.Commands.Firmware;
using Slipway.Server.Api;

namespace Slipway.Commands.Fleet;

/// <summary><c>slipway machine certificate</c>: by what machines prove who they are.</summary>
internal static class CertificateCommand
{
    public static Command Create() => new("certificate", "Client certificates: by these machines prove who they are, whatever their address.")
    {
        new Command("list", "List the client certificates that were issued.")
            .Asks((server, _, cancellation) => server.GetAsync<List<CertificateView>>("certificates", cancellation), List),
        Issue(),
        Revoke(),
    };

    private static Command Issue()
    {
        var machine = new Argument<string>("NAME") { Description = "The machine's name" };
        var output = new Option<string>("--out", "-o") { Description = "Where they go: this with .crt and with .key", Required = true };
        var image = new Option<string?>("--image") { Description = "Where NAME is not approved yet: it becomes so when it shows the certificate, with a clone of this image" };
        var volume = new Option<string?>("--volume") { Description = "The same, with this volume: a name in the store, or a file's absolute path" };
        var policy = new Option<string?>("--policy") { Description = "Of the clone: keep or reset" };
        policy.AcceptOnlyFromAmong("keep", "reset");
        var firmware = new Option<string?>("--firmware") { Description = "uboot, ibft, or detect, which is the default" };
        firmware.AcceptOnlyFromAmong("uboot", "ibft", "detect");
        var days = new Option<int?>("--days") { Description = "How long it is good; five years where left out" };
        var command = new Command("issue", "Issue a certificate and its key, PEM, for an iPXE that is built with CERT= and PRIVKEY=, or for curl. Boot media: slipway firmware media --machine.")
            { machine, output, image, volume, policy, firmware, days };
        return command.Asks(async (server, parsed, cancellation) =>
        {
            var request = new ClientCertificateRequest(new ApprovalRequest(parsed.GetRequiredValue(machine), parsed.GetValue(volume), parsed.GetValue(image),
                parsed.GetValue(policy), parsed.GetValue(firmware), null), parsed.GetValue(days));
            var issued = await server.PostAsync<IssuedCertificateView>("certificates", request, cancellation);
            Write(parsed.GetRequiredValue(output) + ".key", issued.Key);
            Write(parsed.GetRequiredValue(output) + ".crt", issued.Certificate);
            return new CertificateView(issued.Serial, issued.Machine, DateTimeOffset.UtcNow, issued.Ends, null, request.Machine is not { Image: null, Volume: null });
        }, c => $"{c.Machine}: serial {c.Serial}, good until {c.Ends:u}");
    }

    private static Command Revoke()
    {
        var serial = new Argument<string>("SERIAL") { Description = "As `slipway machine certificate list` shows it" };
        var end = new Option<bool>("--end-sessions") { Description = "Take the machine's disk from who has it now: its sessions end, and its secrets are forgotten. A running system loses its disk" };
        return new Command("revoke", "Revoke a certificate: from now on the server refuses it. Says who is logged in to its machine's disk.") { serial, end }.Asks(
            (server, parsed, cancellation) => server.PostAsync<RevocationView>($"certificates/{Uri.EscapeDataString(parsed.GetRequiredValue(serial))}/revocation",
                new RevocationRequest(parsed.GetValue(end)), cancellation), Revoked);
    }

    private static string Revoked(RevocationView r) => string.Join('\n',
    [
        $"{r.Machine}: {r.Serial} is revoked",
        .. r.Sessions.Select(s => $"{(r.Ended ? "logged out" : "still logged in")}: {s.Initiator} from {s.From}"),
        .. r.Sessions.Count > 0 && !r.Ended ? [$"it keeps its disk until it boots anew; to end that now: slipway machine certificate revoke {r.Serial} --end-sessions"] : Array.Empty<string>(),
        .. r.Boots is { } how ? [$"{r.Machine} can still boot {how}"] : Array.Empty<string>(),
    ]);

    private static string List(List<CertificateView> certificates) => certificates.Count == 0 ? "" : TextTable.Of(
        ["SERIAL", "MACHINE", "ISSUED", "GOOD UNTIL", "STATE"],
        certificates.Select(c => (IReadOnlyList<string?>)[c.Serial, c.Machine, c.Issued.ToString("yyyy-MM-dd", null), c.Ends.ToString("yyyy-MM-dd", null),
            c.Revoked is { } at ? $"revoked {at:yyyy-MM-dd}" : c.Ends < DateTimeOffset.UtcNow ? "ended" : c.Approves ? "good, approves" : "good"]));

    private static void Write(string path, string text)
    {
        try
        {
            FirmwareOutput.Write(new FileInfo(path), stream => stream.Write(Encoding.ASCII.GetBytes(text)), secret: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ServerException(e.Message, e);
        }
    }
}
