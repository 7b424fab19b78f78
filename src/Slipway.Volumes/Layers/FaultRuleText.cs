using System.Globalization;
using Slipway.Disks;

namespace Slipway.Volumes.Layers;

/// <summary>
/// A fault rule as an operator writes it: what goes wrong, then when, in any order.
/// <c>error on=read,write after=100 times=3</c>, <c>delay=50ms chance=0.1</c>, <c>torn</c>, <c>dropped from=1M length=64K</c>,
/// <c>error=nospace on=write</c>.
/// </summary>
public static class FaultRuleText
{
    /// <exception cref="FormatException">The text is no rule; the message says why.</exception>
    public static FaultRule Parse(string text)
    {
        var words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 0) throw new FormatException("a fault begins with what goes wrong: error, delay=TIME, torn or dropped");
        var rule = Kind(words[0]);
        foreach (var word in words[1..])
        {
            var (key, value) = word.Split('=', 2) is [var name, var rest] ? (name, rest) : throw new FormatException($"'{word}' is not KEY=VALUE");
            rule = key switch
            {
                "on" => rule with { On = Operations(value) },
                "from" => rule with { Offset = Bytes(value) },
                "length" => rule with { Length = Bytes(value) },
                "after" => rule with { After = Number(value) },
                "times" => rule with { Times = Number(value) },
                "chance" => rule with { Probability = Chance(value) },
                _ => throw new FormatException($"'{key}' is not known; on, from, length, after, times and chance are"),
            };
        }
        return rule;
    }

    private static FaultRule Kind(string word) => word.Split('=', 2) switch
    {
        ["error"] => new(FaultKind.Error),
        ["error", "io"] => new(FaultKind.Error),
        ["error", "nospace"] => new(FaultKind.Error, FaultOperations.Write) { Error = BlockDeviceError.NoSpace },
        ["error", "readonly"] => new(FaultKind.Error, FaultOperations.Write) { Error = BlockDeviceError.ReadOnly },
        ["error", "corrupt"] => new(FaultKind.Error) { Error = BlockDeviceError.Corrupt },
        ["delay", var time] => new(FaultKind.Delay) { Delay = Time(time) },
        ["torn"] => new(FaultKind.TornWrite, FaultOperations.Write),
        ["dropped"] => new(FaultKind.DroppedWrite, FaultOperations.Write),
        _ => throw new FormatException($"'{word}' is no fault; error, error=nospace, error=readonly, error=corrupt, delay=TIME, torn and dropped are"),
    };

    private static FaultOperations Operations(string value)
    {
        FaultOperations operations = 0;
        foreach (var name in value.Split(','))
        {
            operations |= name switch
            {
                "read" => FaultOperations.Read,
                "write" => FaultOperations.Write,
                "flush" => FaultOperations.Flush,
                "discard" => FaultOperations.Discard,
                _ => throw new FormatException($"'{name}' is no operation; read, write, flush and discard are"),
            };
        }
        return operations;
    }

    private static TimeSpan Time(string value)
    {
        var (number, unit) = value.EndsWith("ms", StringComparison.Ordinal) ? (value[..^2], 0.001) : value.EndsWith('s') ? (value[..^1], 1) : ("", 0);
        return double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount) && amount <= 3600
            ? TimeSpan.FromSeconds(amount * unit)
            : throw new FormatException($"'{value}' is no time; 50ms and 2s are, up to an hour");
    }

    private static long Bytes(string value)
    {
        var unit = "KMGT".IndexOf(value.Length > 0 ? value[^1] : ' ', StringComparison.Ordinal);
        return long.TryParse(unit < 0 ? value : value[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= long.MaxValue >> (10 * (unit + 1))
            ? number << (10 * (unit + 1))
            : throw new FormatException($"'{value}' is no number of bytes; 4096, 64K and 1M are");
    }

    private static int Number(string value) => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        ? number
        : throw new FormatException($"'{value}' is no number");

    private static double Chance(string value) => double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var chance) && chance is >= 0 and <= 1
        ? chance
        : throw new FormatException($"'{value}' is no chance; numbers from 0 to 1 are");
}
