using Slipway.Disks;

namespace Slipway.Scsi.Tests;

/// <summary>One initiator port's nexus to a target, from which tests send CDBs written in hexadecimal.</summary>
internal sealed class Initiator
{
    private readonly ScsiTargetDevice _target;

    public Initiator(ScsiTargetDevice target, string name = "iqn.2026-01.test:one,i,0x000000000001", ushort port = 1)
    {
        _target = target;
        Nexus = target.OpenNexus(name, port);
    }

    public Nexus Nexus { get; }

    /// <summary>A disk as LUN 0 of a target of its own.</summary>
    public static Initiator Of(IBlockDevice disk, int blockSize = 512, bool writeProtected = false)
    {
        var target = new TargetDevice("iqn.2026-01.test:target");
        target.Attach(0, new DiskUnit(disk, new UnitIdentity("volume"), blockSize) { WriteProtected = writeProtected });
        return new Initiator(target);
    }

    public Answer Send(string cdb, ReadOnlyMemory<byte> dataOut = default, int limit = 1 << 20, ulong lun = 0) =>
        Send(Hex(cdb), dataOut, limit, lun);

    public Answer Send(ReadOnlySpan<byte> cdb, ReadOnlyMemory<byte> dataOut = default, int limit = 1 << 20, ulong lun = 0) =>
        SendAsync(cdb.ToArray(), dataOut, limit, lun).GetAwaiter().GetResult();

    public async Task<Answer> SendAsync(
        byte[] cdb, ReadOnlyMemory<byte> dataOut = default, int limit = 1 << 20, ulong lun = 0,
        CancellationToken cancellation = default)
    {
        var task = new LentTask();
        task.Reset(cdb);
        task.Nexus = Nexus;
        task.Lun = lun << 48;
        task.DataOut = dataOut;
        task.DataInLimit = limit;
        await _target.ExecuteAsync(task, cancellation);
        return new Answer(task.Status, task.DataIn.ToArray(), task.TransferLength, task.Sense.ToArray());
    }

    public TaskManagementResponse Manage(TaskManagementFunction function, ulong lun = 0) =>
        _target.Manage(function, Nexus, lun << 48);

    public void Close() => _target.CloseNexus(Nexus);

    public static byte[] Hex(string text) => Convert.FromHexString(text.Replace(" ", "", StringComparison.Ordinal));
}
