using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Server.Api;

namespace Slipway.Commands;

/// <summary>What a command tells of an error, always on the error stream: a sentence, or with <c>--json</c> one line of JSON.</summary>
/// <param name="Code">Null where there is no page of it.</param>
internal sealed record CommandError(string Error, string? Code)
{
    public static Task TellAsync(bool json, string message, string command = "slipway") => Console.Error.WriteLineAsync(
        json ? JsonSerializer.Serialize(new CommandError(message, ErrorCode.In(message)), CommandErrorJson.Printed.CommandError) : $"{command}: {message}");
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CommandError))]
internal sealed partial class CommandErrorJson : JsonSerializerContext
{
    /// <summary>With quotes and backticks as they are: no browser reads it.</summary>
    public static CommandErrorJson Printed => field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
