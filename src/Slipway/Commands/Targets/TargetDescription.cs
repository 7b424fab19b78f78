using System.Text.Json;
using System.Text.Json.Serialization;

namespace Slipway.Commands.Targets;

/// <summary>What <c>slipway target --json</c> prints, in one line, once initiators can log in.</summary>
internal sealed record TargetDescription(string Target, IReadOnlyList<string> Portals, IReadOnlyList<DiskDescription> Disks)
{
    public string ToJson() => JsonSerializer.Serialize(this, TargetJson.Default.TargetDescription);
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(TargetDescription))]
internal sealed partial class TargetJson : JsonSerializerContext;

/// <param name="Size">Bytes.</param>
/// <param name="Urls">One for each portal, as libiscsi and QEMU write it.</param>
internal sealed record DiskDescription(byte Lun, string File, long Size, int BlockSize, bool ReadOnly, IReadOnlyList<string> Urls);
