using System.Text.Json;
using System.Text.Json.Serialization;

namespace Slipway.Volumes.Store;

/// <summary>What becomes of a machine's writes when it boots again.</summary>
public enum VolumePolicy
{
    /// <summary>They stay.</summary>
    Keep,

    /// <summary>Each boot begins with a fresh overlay.</summary>
    Reset,
}

/// <summary>What is known of a volume beyond its disk: <c>NAME.json</c> beside it, absent where all of it is as usual.</summary>
/// <param name="Machine">Whose disk it is.</param>
/// <param name="NextImage">The image version that the next boot begins with, instead of what is there (<c>debian-12@4</c>).</param>
public sealed record VolumeSettings(VolumePolicy Policy = VolumePolicy.Keep, string? Machine = null, string? NextImage = null)
{
    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    internal static VolumeSettings Load(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<VolumeSettings>(File.ReadAllText(path), Format) ?? new();
        }
        catch (FileNotFoundException)
        {
            return new();
        }
        catch (JsonException e)
        {
            throw new VolumeStoreException($"{path} cannot be read: {e.Message}", e);
        }
    }

    internal void Save(string path)
    {
        var whole = path + ".new";
        File.WriteAllText(whole, JsonSerializer.Serialize(this, Format) + "\n");
        File.Move(whole, path, overwrite: true);
    }
}
