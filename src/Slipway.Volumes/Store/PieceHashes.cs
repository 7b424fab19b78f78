using System.Globalization;
using System.IO.Hashing;
using System.Text;

namespace Slipway.Volumes.Store;

/// <summary>
/// The XXH3 hash, of 128 bits, of each piece of an image that is not all zero, as a text file beside it: the image's length,
/// then a line for each piece, with the hash and where it begins. Pieces, because holes then cost nothing, both cores can work, and damage has a place.
/// No cryptographic hash: it is to find damage, and whoever changes an image on purpose can change the list as well.
/// </summary>
internal sealed class PieceHashes
{
    public const int PieceSize = 4 << 20;
    private const int HashBytes = 16;
    private const string Extension = ".pieces", LengthMark = "# bytes ";
    private readonly SortedDictionary<long, string> _hashes = [];

    /// <summary>The image's length; null in a list of a time when it was not written down.</summary>
    public long? Length { get; set; }

    public static string PathOf(string image) => image + Extension;

    /// <summary>From any thread.</summary>
    public void Add(long offset, ReadOnlySpan<byte> piece)
    {
        var hash = Of(piece);
        lock (_hashes) _hashes.Add(offset, hash);
    }

    public static string Of(ReadOnlySpan<byte> piece) => Convert.ToHexStringLower(XxHash128.Hash(piece));

    /// <summary>Null where no piece is expected to differ from zeroes.</summary>
    public string? At(long offset) => _hashes.GetValueOrDefault(offset);

    /// <summary>Returns when the list is on the medium.</summary>
    public void Save(string image)
    {
        var text = new StringBuilder($"# xxh3-128 of each {PieceSize} bytes that are not all zero, and where they begin\n");
        if (Length is { } length) text.Append(CultureInfo.InvariantCulture, $"{LengthMark}{length}\n");
        foreach (var (offset, hash) in _hashes) text.Append(CultureInfo.InvariantCulture, $"{hash} {offset}\n");
        using var file = File.OpenHandle(PathOf(image), FileMode.Create, FileAccess.Write);
        RandomAccess.Write(file, Encoding.ASCII.GetBytes(text.ToString()), 0);
        RandomAccess.FlushToDisk(file);
    }

    public static PieceHashes Load(string image)
    {
        var pieces = new PieceHashes();
        foreach (var line in File.ReadLines(PathOf(image)))
        {
            if (line.StartsWith(LengthMark, StringComparison.Ordinal) && long.TryParse(line[LengthMark.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var length)) pieces.Length = length;
            if (line.StartsWith('#')) continue;
            if (line.Split(' ') is not [{ Length: 2 * HashBytes } hash, var at] || !long.TryParse(at, NumberStyles.None, CultureInfo.InvariantCulture, out var offset) || !pieces._hashes.TryAdd(offset, hash))
                throw new VolumeStoreException($"{PathOf(image)} is damaged: '{line}'");
        }
        return pieces;
    }

    /// <summary>The list's own hash, what the whole image is known by; empty where there is none.</summary>
    public static string HashOf(string image) => File.Exists(PathOf(image)) ? Of(File.ReadAllBytes(PathOf(image))) : "";
}
