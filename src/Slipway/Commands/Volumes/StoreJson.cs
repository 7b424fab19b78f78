using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Disks.FileSystems;
using Slipway.Volumes.Store;

namespace Slipway.Commands.Volumes;

/// <summary>What the image and volume commands print with <c>--json</c>.</summary>
[JsonSerializable(typeof(IReadOnlyList<StoredImage>))]
[JsonSerializable(typeof(IReadOnlyList<StoredVolume>))]
[JsonSerializable(typeof(List<VolumeUsage>))]
[JsonSerializable(typeof(IReadOnlyList<FileEntry>))]
[JsonSerializable(typeof(ExportedVolume))]
internal sealed partial class StoreJson : JsonSerializerContext
{
    public static StoreJson Printed { get; } = new(new JsonSerializerOptions(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter<VolumePolicy>(JsonNamingPolicy.CamelCase), new JsonStringEnumConverter<FileKind>(JsonNamingPolicy.CamelCase) },
    });
}
