namespace Slipway.Scsi;

/// <summary>A change that another nexus or an operation on the whole medium has overtaken: nothing of it may reach the medium.</summary>
/// <param name="sense">Null: RESERVATION CONFLICT.</param>
internal sealed class ChangeRefusedException(SenseCode? sense)
    : Exception(sense is { } code ? $"overtaken: {code.Key}, {code.Additional:x4}h" : "overtaken by another nexus' reservation")
{
    public SenseCode? Sense { get; } = sense;
}
