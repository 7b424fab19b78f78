using System.Globalization;
using Slipway.Server.Site;

namespace Slipway.Commands.Targets;

/// <summary>
/// One disk of <c>slipway target</c> as its user writes it, <c>FILE[,OPTION...]</c>: what is left out is as the command's
/// own options say.
/// </summary>
/// <param name="Lun">Null: the number after the disk before it, 0 for the first; there in what the command line's parser returns.</param>
/// <param name="CdRom">An ISO image in a CD-ROM drive; its blocks have 2048 bytes, and nothing is written.</param>
internal sealed record DiskArgument(string File, byte? Lun = null, int? BlockSize = null, bool ReadOnly = false, bool Removable = false, bool CdRom = false)
{
    public const string Options = "lun=0..255, block-size=512|4096, read-only, removable, cdrom";

    /// <summary>Options are read from the end: a comma before anything else belongs to the file's name.</summary>
    /// <exception cref="FormatException">An option's value is none, or two contradict each other.</exception>
    public static DiskArgument Parse(string text)
    {
        var disk = new DiskArgument(text);
        while (disk.File.LastIndexOf(',') is > 0 and var comma && disk.With(disk.File[(comma + 1)..]) is { } more)
            disk = more with { File = disk.File[..comma] };
        return disk is { CdRom: true, BlockSize: not null } ? throw new FormatException("a CD-ROM's blocks have 2048 bytes: leave block-size out") : disk;
    }

    /// <summary>Why no file has a name that ends so; empty where it does not look like options.</summary>
    public static string Hint(string file) => file.LastIndexOf(',') is > 0 and var comma
        ? $": behind a comma stands one of {Options}{NearestWord.Asked(file[(comma + 1)..], ["read-only", "removable", "cdrom"])}"
        : "";

    // Null where the word is no option.
    private DiskArgument? With(string option)
    {
        var (name, value) = option.Split('=', 2) is [var before, var after] ? (before, after) : (option, null);
        return name switch
        {
            "lun" when value is not null => this with { Lun = byte.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var lun) ? lun : throw Wrong() },
            "block-size" when value is not null => this with { BlockSize = value switch { "512" => 512, "4096" => 4096, _ => throw Wrong() } },
            "read-only" when value is null => this with { ReadOnly = true },
            "removable" when value is null => this with { Removable = true },
            "cdrom" when value is null => this with { CdRom = true, ReadOnly = true },
            _ => null,
        };

        FormatException Wrong() => new($"'{option}' is none of {Options}");
    }
}
