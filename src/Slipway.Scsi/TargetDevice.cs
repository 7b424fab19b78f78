using System.Text;

namespace Slipway.Scsi;

/// <summary>
/// A SCSI target device with up to 256 units, each a <see cref="LogicalUnit"/>. Units may come and go while nexuses are
/// open; the initiators learn it by unit attention.
/// </summary>
public sealed class TargetDevice : ScsiTargetDevice
{
    private readonly Lock _lock = new();
    private readonly List<PortNexus> _nexuses = [];
    private readonly SortedDictionary<byte, LogicalUnit> _units = [];
    private readonly AbsentUnit _absent = new();

    /// <param name="name">The SCSI device name (SPC-4 §7.8.6.11); for iSCSI the target's name.</param>
    /// <param name="ports">How many target ports it has; their relative identifiers (SPC-4 §7.8.6.7) begin at 1.</param>
    public TargetDevice(string name, int ports = 1)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        // As many as the answer to REPORT TARGET PORT GROUPS counts.
        ArgumentOutOfRangeException.ThrowIfLessThan(ports, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ports, byte.MaxValue);

        // RFC 7143 §4.2.7.1; a longer one would not fit in a designator of VPD page 83h.
        if (Encoding.UTF8.GetByteCount(name) > 223)
            throw new ArgumentException($"The name of a target has at most 223 bytes: '{name}'.", nameof(name));
        Name = name;
        Ports = ports;
    }

    public string Name { get; }

    public int Ports { get; }

    /// <summary>The units by LUN, as REPORT LUNS lists them.</summary>
    public IReadOnlyDictionary<byte, LogicalUnit> Units
    {
        get
        {
            lock (_lock)
                return new SortedDictionary<byte, LogicalUnit>(_units);
        }
    }

    /// <summary>Whether any I_T nexus is open, or a unit is busy with what goes on without one.</summary>
    public bool IsInUse
    {
        get
        {
            lock (_lock)
                return _nexuses.Count > 0 || _units.Values.Any(unit => unit.IsBusy);
        }
    }

    public void Attach(byte lun, LogicalUnit unit)
    {
        ArgumentNullException.ThrowIfNull(unit);
        lock (_lock)
        {
            if (!_units.TryAdd(lun, unit))
                throw new ArgumentException($"LUN {lun} of {Name} is taken.", nameof(lun));
            foreach (var nexus in _nexuses)
            {
                nexus.Set(lun, unit.Open(nexus));
                ReportChange(nexus);
            }
        }
    }

    /// <summary>Takes a unit away. Commands under way on it end normally.</summary>
    public bool Detach(byte lun)
    {
        lock (_lock)
        {
            if (!_units.Remove(lun))
                return false;
            foreach (var nexus in _nexuses)
            {
                nexus.Units[lun]!.Unit.Close(nexus.Units[lun]!);
                nexus.Set(lun, null);
                ReportChange(nexus);
            }

            return true;
        }
    }

    public override Nexus OpenNexus(string initiatorPort, ushort relativeTargetPort)
    {
        var nexus = new PortNexus(this, initiatorPort, relativeTargetPort);
        lock (_lock)
        {
            foreach (var (lun, unit) in _units)
                nexus.Set(lun, unit.Open(nexus));
            _nexuses.Add(nexus);
        }

        return nexus;
    }

    public override void CloseNexus(Nexus nexus)
    {
        var port = (PortNexus)nexus;
        lock (_lock)
        {
            if (!_nexuses.Remove(port))
                return;
            foreach (var unit in port.Units)
                unit?.Unit.Close(unit);
        }
    }

    public override ValueTask ExecuteAsync(ScsiTask task, CancellationToken cancellation = default)
    {
        var port = (PortNexus)task.Nexus;
        var unit = Find(port, task.Lun) ?? new UnitNexus(_absent, port);
        return unit.Unit.ExecuteAsync(unit, task, cancellation);
    }

    public override void Refuse(ScsiTask task, SenseCode sense) =>
        (Find((PortNexus)task.Nexus, task.Lun)?.Unit ?? _absent).Deny(task, sense);

    public override TaskManagementResponse Manage(TaskManagementFunction function, Nexus nexus, ulong lun)
    {
        var port = (PortNexus)nexus;
        switch (function)
        {
            case TaskManagementFunction.TargetWarmReset or TaskManagementFunction.TargetColdReset:
                foreach (var each in port.Units)
                    each?.Unit.Reset(each, SenseCode.PowerOnOrReset);
                return TaskManagementResponse.FunctionComplete;
            case TaskManagementFunction.TaskReassign:
                // RFC 7143 §11.6.1: needs ErrorRecoveryLevel 2.
                return TaskManagementResponse.TaskReassignNotSupported;
            case TaskManagementFunction.ClearAca:
                // NormACA is zero in INQUIRY: no ACA condition can exist (SAM-5 §5.9.1).
                return TaskManagementResponse.NotSupported;
        }

        if (Find(port, lun) is not { } unit)
            return TaskManagementResponse.LunDoesNotExist;
        switch (function)
        {
            case TaskManagementFunction.AbortTask or TaskManagementFunction.AbortTaskSet or TaskManagementFunction.ClearTaskSet:
                return TaskManagementResponse.FunctionComplete;
            case TaskManagementFunction.LogicalUnitReset:
                unit.Unit.Reset(unit, SenseCode.BusDeviceResetFunctionOccurred);
                return TaskManagementResponse.FunctionComplete;
            default:
                return TaskManagementResponse.NotSupported;
        }
    }

    public override void ReportCleared(Nexus nexus, ulong lun) =>
        Find((PortNexus)nexus, lun)?.Establish(SenseCode.CommandsClearedByAnotherInitiator);

    private static UnitNexus? Find(PortNexus port, ulong lun)
    {
        var units = port.Units;
        return LogicalUnitNumber.TryDecode(lun, out var number) && number < units.Length ? units[number] : null;
    }

    // SPC-4 §6.33: every other unit of the target reports that the list is not what it was.
    private static void ReportChange(PortNexus nexus)
    {
        foreach (var unit in nexus.Units)
            unit?.Establish(SenseCode.ReportedLunsDataHasChanged);
    }
}
