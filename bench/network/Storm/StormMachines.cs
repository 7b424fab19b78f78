using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace Slipway.Bench.Network.Storm;

/// <summary>The process of the machines: each starts at its own moment, and what all saw is printed at the end.</summary>
internal static class StormMachines
{
    /// <param name="how">The first machine, how many, within how many seconds, the site's root certificate.</param>
    public static async Task<int> RunAsync(string[] how)
    {
        var (first, count, seconds) = (Number(how[0]), Number(how[1]), Number(how[2]));
        using var root = X509CertificateLoader.LoadCertificateFromFile(how[3]);
        using var relay = new RelaySocket(IPAddress.Parse(Wire.Relay), IPAddress.Parse(Wire.Server));
        // The same moments in each run: uniform over the time, as independent machines are.
        var random = new Random(1);
        var machines = Enumerable.Range(first, count).Select(i => new StormMachine(i, relay, root)).ToList();
        // What only compiles this program's code is not the server's time: the first machine boots twice.
        await new StormMachine(first, relay, root).BootAsync();
        var start = Stopwatch.StartNew();
        await Task.WhenAll(machines.Select(async machine =>
        {
            await Task.Delay(TimeSpan.FromSeconds(random.NextDouble() * seconds));
            await machine.BootAsync();
        }));
        var figures = new StormFigures(
            [.. machines.SelectMany(m => m.Dhcp)], [.. machines.SelectMany(m => m.Script)], [.. machines.SelectMany(m => m.Login)], [.. machines.SelectMany(m => m.Boot)],
            [.. machines.Select(m => m.Failure).OfType<string>()]);
        Console.WriteLine(JsonSerializer.Serialize(figures));
        return 0;
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
