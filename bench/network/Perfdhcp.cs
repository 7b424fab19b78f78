using System.Globalization;
using System.Text.RegularExpressions;

namespace Slipway.Bench.Network;

/// <summary>ISC's load generator: new clients all the time, each with DISCOVER and REQUEST.</summary>
internal sealed partial class Perfdhcp(Wire wire, int seconds)
{
    private int _runs;

    /// <summary>Leases per second, where <paramref name="offered"/> clients come in each. Each run has clients of its own.</summary>
    public double Leases(int offered)
    {
        var serial = Interlocked.Increment(ref _runs);
        string[] options =
        [
            "-4", "-r", $"{offered}", "-R", "1000000", "-b", $"mac=00:0c:{serial:x2}:00:00:00",
            "-p", $"{seconds}", "-l", Wire.Link, Wire.Server,
        ];
        // It ends with 3 where anything was lost; that is what the rate tells.
        var output = Tool.Run("ip", wire.InClients(["sh", "-c", "perfdhcp \"$@\" || [ $? = 3 ]", "perfdhcp", .. options]));
        var rate = Rate().Match(output);
        return rate.Success ? double.Parse(rate.Groups[1].Value, CultureInfo.InvariantCulture) : throw new InvalidOperationException($"perfdhcp: {output.Trim()}");
    }

    [GeneratedRegex(@"Rate: ([0-9.]+) 4-way exchanges/second")]
    private static partial Regex Rate();
}
