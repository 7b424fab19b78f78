namespace Slipway.Scsi;

/// <summary>An open I_T nexus of a <see cref="TargetDevice"/>, with its view of every unit.</summary>
internal sealed class PortNexus(TargetDevice target, string initiatorPort, ushort relativeTargetPort)
    : Nexus(initiatorPort, relativeTargetPort)
{
    // Replaced as a whole under the target's lock; commands read it without.
    private UnitNexus?[] _units = [];

    public TargetDevice Target { get; } = target;

    public UnitNexus?[] Units => Volatile.Read(ref _units);

    public void Set(byte lun, UnitNexus? unit)
    {
        var units = new UnitNexus?[Math.Max(_units.Length, lun + 1)];
        _units.CopyTo(units, 0);
        units[lun] = unit;
        Volatile.Write(ref _units, units);
    }
}
