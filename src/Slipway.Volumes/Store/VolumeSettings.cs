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
    internal static VolumeSettings Load(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(path), VolumeSettingsFormat.Default.VolumeSettings) ?? new();
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
        File.WriteAllText(whole, JsonSerializer.Serialize(this, VolumeSettingsFormat.Default.VolumeSettings) + "\n");
        File.Move(whole, path, overwrite: true);
    }
}

/// <summary>The file's form. Generated: a serializer that is made while the program runs takes longer than all else that a clone needs.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true, Converters = [typeof(VolumePolicyWord)])]
[JsonSerializable(typeof(VolumeSettings))]
internal sealed partial class VolumeSettingsFormat : JsonSerializerContext;

internal sealed class VolumePolicyWord() : JsonStringEnumConverter<VolumePolicy>(JsonNamingPolicy.CamelCase);
