using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Target;
using Slipway.Scsi;
using static Slipway.Iscsi.Tests.ScriptedInitiator;

namespace Slipway.Iscsi.Tests.FullFeature;

/// <summary>SAM-5 §8.6.</summary>
public sealed class TaskAttributeTests : IAsyncDisposable
{
    private const string Solicited = "InitialR2T=Yes ImmediateData=No";
    private readonly GatedDisk _disk = new(1 << 20);
    private readonly Site _site;

    public TaskAttributeTests() => _site = new(disk: _disk);

    public ValueTask DisposeAsync() => _disk.DisposeAsync();

    [Fact]
    public void An_ordered_command_waits_for_those_before_it_and_is_waited_for()
    {
        var (one, two) = (Pattern(512, 1), Pattern(512, 2));
        _site.LogIn(Solicited)
            .SaysWrite(1, 0, 512).HearsR2T(1, 0, 0, 512, out var first)
            .SaysCommand(2, Write10(0, 1), write: 512, with: Ordered)
            .SaysRead(3, 0, 1).HearsNothing()
            .SaysData(1, first, 0, 0, one, final: true).HearsStatus(1).Turns()
            .HearsR2T(2, 0, 0, 512, out var second).HearsNothing()
            .SaysData(2, second, 0, 0, two, final: true).HearsStatus(2).Turns()
            .HearsData(3, two).HearsNothing();
    }

    [Fact]
    public void A_head_of_queue_command_and_one_for_another_unit_wait_for_nothing()
    {
        _site.Device.Attach(1, new DiskUnit(new Slipway.Disks.MemoryDisk(4096), new UnitIdentity("other")));
        _site.LogIn(Solicited)
            .SaysWrite(1, 0, 512).HearsR2T(1, 0, 0, 512, out _)
            .SaysCommand(2, Write10(0, 1), write: 512, with: Ordered).HearsNothing()
            .SaysCommand(3, Read10(0, 1), read: 512, with: HeadOfQueue).HearsData(3, new byte[512])
            .SaysCommand(4, Read10(0, 1), read: 512, lun: 1UL << 48).HearsData(4, new byte[512])
            // Flat space addressing (SAM-5 §4.7.7.3) of the same unit.
            .SaysCommand(5, Read10(0, 1), read: 512, lun: 0x4000_0000_0000_0000).HearsNothing();
    }

    [Fact]
    public void What_waits_for_an_ordered_command_is_aborted_and_what_it_waits_for_too()
    {
        var initiator = _site.LogIn(Solicited)
            .SaysWrite(1, 0, 512).HearsR2T(1, 0, 0, 512, out _)
            .SaysCommand(2, Write10(0, 1), write: 512, with: Ordered)
            .SaysRead(3, 0, 1).HearsNothing()
            .SaysManagement(4, TaskManagementFunction.AbortTask, reference: 2, refCmdSN: 101).HearsManagement(4, TaskManagementResponse.FunctionComplete);
        initiator.Turns().HearsData(3, new byte[512])
            .SaysCommand(5, Write10(0, 1), write: 512, with: Ordered).HearsNothing()
            .SaysManagement(6, TaskManagementFunction.AbortTask, reference: 1, refCmdSN: 100).HearsManagement(6, TaskManagementResponse.FunctionComplete);
        initiator.Turns().HearsR2T(5, 0, 0, 512, out _).HearsNothing();
    }

    [Fact]
    public void A_command_by_another_connection_waits_too_and_one_that_is_lost_is_not_waited_for()
    {
        const string several = Solicited + " MaxConnections=2";
        var first = _site.LogIn(several);
        var second = _site.Connect().Joins(first, 2);
        first.SaysWrite(1, 0, 512).HearsR2T(1, 0, 0, 512, out _);
        second.SaysCommand(2, Write10(0, 1), write: 512, cmdSN: 101, with: Ordered).SaysCommand(3, Read10(0, 1), read: 512, cmdSN: 102).HearsNothing();
        first.HangsUp();
        second.Turns().HearsR2T(2, 0, 0, 512, out _).HearsNothing();
        second.HangsUp();
        Assert.Single(_site.Events.OfType<Closed>());
    }

    /// <summary>What came with a command that has to wait takes no memory from those that it waits for.</summary>
    [Fact]
    public void What_waits_leaves_the_memory_to_what_it_waits_for()
    {
        var site = new Site(new TargetLimits { ConnectionTransfer = 4096, TaskTransfer = 4096 });
        var data = Pattern(4096);
        site.LogIn("InitialR2T=Yes ImmediateData=Yes")
            .SaysWrite(1, 0, 4096, data.AsSpan(0, 512).ToArray()).HearsR2T(1, 0, 512, 3584, out var first)
            .SaysWrite(2, 8, 4096, data.AsSpan(0, 512).ToArray())
            .SaysCommand(3, Write10(16, 8), write: 4096, data: data, with: Ordered)
            .SaysCommand(4, Write10(24, 8), write: 4096, data: data).HearsNothing()
            .SaysData(1, first, 0, 512, data.AsSpan(512), final: true).HearsStatus(1)
            .HearsR2T(2, 0, 512, 3584, out var second)
            .SaysData(2, second, 0, 512, data.AsSpan(512), final: true).HearsStatus(2)
            .Turns().HearsStatus(3).Turns().HearsStatus(4);
        Assert.Equal([.. data, .. data, .. data, .. data], site.Read(0, 4 * 4096));
    }

    [Theory]
    [InlineData(4)] // ACA, without an ACA condition
    [InlineData(5)]
    [InlineData(7)]
    public void An_attribute_that_cannot_be_is_refused(byte attribute)
    {
        // SAM-5 §8.6, RFC 7143 §11.3.1.
        _site.LogIn()
            .SaysCommand(1, TestUnitReady, with: pdu => new ScsiCommandPdu(pdu).Attribute = (TaskAttribute)attribute).HearsSense(1, 0x054900)
            .SaysCommand(2, Write10(0, 1), write: 512, data: Pattern(512), with: pdu => new ScsiCommandPdu(pdu).Attribute = (TaskAttribute)attribute).HearsSense(2, 0x054900)
            .SaysCommand(3, TestUnitReady).HearsStatus(3);
        Assert.Equal(new byte[512], _site.Read(0, 512));
    }

    private static void Ordered(byte[] pdu) => new ScsiCommandPdu(pdu).Attribute = TaskAttribute.Ordered;

    private static void HeadOfQueue(byte[] pdu) => new ScsiCommandPdu(pdu).Attribute = TaskAttribute.HeadOfQueue;
}
