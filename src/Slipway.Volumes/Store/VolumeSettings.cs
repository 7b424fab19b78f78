using System.Buffers;
using System.Text.Json;
using Slipway.Volumes.Raw;

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
    private const string PolicyKey = "policy", MachineKey = "machine", NextImageKey = "nextImage", KeepWord = "keep", ResetWord = "reset";

    internal static VolumeSettings Load(string path)
    {
        try
        {
            // By hand: a serializer for this type, even a generated one, takes longer to compile than all else that a clone needs.
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            return new(
                Text(PolicyKey) switch
                {
                    null or KeepWord => VolumePolicy.Keep,
                    ResetWord => VolumePolicy.Reset,
                    var other => throw new JsonException($"the policy is '{other}', which is neither {KeepWord} nor {ResetWord}"),
                },
                Text(MachineKey), Text(NextImageKey));

            string? Text(string key) => json.RootElement.TryGetProperty(key, out var value) ? value.GetString() : null;
        }
        catch (FileNotFoundException)
        {
            return new();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new VolumeStoreException($"{path} cannot be read: {e.Message}", e);
        }
    }

    internal void Save(string path)
    {
        var text = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(text, new() { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString(PolicyKey, Policy == VolumePolicy.Reset ? ResetWord : KeepWord);
            json.WriteString(MachineKey, Machine);
            json.WriteString(NextImageKey, NextImage);
            json.WriteEndObject();
        }
        DurableFile.Replace(path, text.WrittenSpan);
    }
}
