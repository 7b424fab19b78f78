using System.Net.ServerSentEvents;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Server.Diagnosis;

namespace Slipway.Server.Api;

/// <summary>The JSON of the API, which is also what commands print of a server's answers: compiled, since a native program has no reflection for it.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(IReadOnlyList<MachineView>))]
[JsonSerializable(typeof(List<MachineView>))]
[JsonSerializable(typeof(ApprovalRequest))]
[JsonSerializable(typeof(BootOnceRequest))]
[JsonSerializable(typeof(WakeView))]
[JsonSerializable(typeof(IReadOnlyList<BootView>))]
[JsonSerializable(typeof(List<BootView>))]
[JsonSerializable(typeof(SseItem<BootEventView>))]
[JsonSerializable(typeof(IReadOnlyList<LeaseView>))]
[JsonSerializable(typeof(List<LeaseView>))]
[JsonSerializable(typeof(SiteView))]
[JsonSerializable(typeof(SitePlanView))]
[JsonSerializable(typeof(IReadOnlyList<CertificateView>))]
[JsonSerializable(typeof(List<CertificateView>))]
[JsonSerializable(typeof(ClientCertificateRequest))]
[JsonSerializable(typeof(IssuedCertificateView))]
[JsonSerializable(typeof(RevocationRequest))]
[JsonSerializable(typeof(RevocationView))]
[JsonSerializable(typeof(IReadOnlyList<Finding>))]
internal sealed partial class ControlJson : JsonSerializerContext
{
    /// <summary>For people: indented.</summary>
    public static ControlJson Indented => field ??= new(new JsonSerializerOptions(Default.Options) { WriteIndented = true });
}
