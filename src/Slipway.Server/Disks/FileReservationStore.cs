using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Disks;
using Slipway.Scsi.Reservations;
using Slipway.Volumes;
using Slipway.Volumes.Raw;

namespace Slipway.Server.Disks;

/// <summary>
/// Keeps what was registered with APTPL in a text file beside the disk, <c>FILE.reservations.json</c>: who moves the disk
/// moves it too. There is no such file where nothing is to be kept.
/// </summary>
public sealed partial class FileReservationStore : IReservationStore
{
    private static readonly KeptJson Text = new(new JsonSerializerOptions(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter<ReservationType>(JsonNamingPolicy.CamelCase) },
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    });

    private readonly string _path;
    private readonly ReservationState? _found;

    private FileReservationStore(string path, ReservationState? found) => (_path, _found) = (path, found);

    /// <summary>Null for a device: what stands beside it in /dev is gone when the host restarts.</summary>
    /// <param name="disk">The disk's file.</param>
    /// <exception cref="IOException">There are reservations, and they cannot be read.</exception>
    public static FileReservationStore? Beside(string disk)
    {
        if (!BesideDisk.HasRoom(disk))
            return null;
        var path = BesideDisk.Reservations(disk);
        try
        {
            return new(path, File.Exists(path) ? Read(File.ReadAllBytes(path)) : null);
        }
        // A disk that somebody reserved is not served to everybody because a file is damaged.
        catch (Exception e) when (e is JsonException or FormatException)
        {
            throw new IOException($"{path} keeps the persistent reservations of this disk and cannot be read: {e.Message} Mend it, or delete it to serve the disk without them.", e);
        }
    }

    public ReservationState? Load() => _found;

    /// <exception cref="BlockDeviceException">The file could not be written; the initiator's command fails.</exception>
    public ValueTask SaveAsync(ReservationState state, CancellationToken cancellation) =>
        // To the end, once begun: a file that says more than the unit does is worse than an abort that comes late.
        new(Task.Run(() => Save(state), CancellationToken.None));

    private void Save(ReservationState state)
    {
        try
        {
            if (state.Registrations.IsEmpty)
                DurableFile.Delete(_path);
            else
                DurableFile.Replace(_path, Write(state));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BlockDeviceException(BlockDeviceError.Io, $"{_path} could not be written: {e.Message}", e);
        }
    }

    private static byte[] Write(ReservationState state) => JsonSerializer.SerializeToUtf8Bytes(
        new Kept(state.Type, [.. state.Registrations.Select(r => new KeptRegistration(r.InitiatorPort, r.RelativeTargetPort, $"0x{r.Key:x16}", r == state.Holder))]),
        Text.Kept);

    private static ReservationState Read(byte[] text)
    {
        var kept = JsonSerializer.Deserialize(text, Text.Kept) ?? throw new FormatException("it is empty.");
        var registrations = kept.Registrations.Select(r => new Registration(r.Initiator, r.Port, ParseKey(r.Key))).ToImmutableArray();
        var holders = kept.Registrations.Index().Where(r => r.Item.Holds).Select(r => registrations[r.Index]).ToList();
        var needsHolder = kept.Type is not (ReservationType.None or ReservationType.WriteExclusiveAllRegistrants or ReservationType.ExclusiveAccessAllRegistrants);
        if (!Enum.IsDefined(kept.Type) || holders.Count != (needsHolder ? 1 : 0))
            throw new FormatException($"{holders.Count} registrations hold a reservation of the type {kept.Type}.");
        return new(registrations, kept.Type, holders.SingleOrDefault(), SurvivesPowerLoss: true);
    }

    private static ulong ParseKey(string key) =>
        key.StartsWith("0x", StringComparison.Ordinal) && ulong.TryParse(key.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new FormatException($"'{key}' is no key.");

    /// <summary>The file.</summary>
    private sealed record Kept(ReservationType Type, IReadOnlyList<KeptRegistration> Registrations);

    /// <param name="Initiator">The initiator port: name and ISID.</param>
    /// <param name="Port">The relative target port.</param>
    /// <param name="Holds">Has the reservation, alone; false where all registrants have it.</param>
    private sealed record KeptRegistration(string Initiator, ushort Port, string Key, bool Holds = false);

    [JsonSerializable(typeof(Kept))]
    private sealed partial class KeptJson : JsonSerializerContext;
}
