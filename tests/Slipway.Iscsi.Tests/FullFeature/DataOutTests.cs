using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Target;
using Slipway.Iscsi.Text;
using Slipway.Scsi;
using static Slipway.Iscsi.Tests.ScriptedInitiator;

namespace Slipway.Iscsi.Tests.FullFeature;

/// <summary>RFC 7143 §4.2.5, §11.3, §11.7, §11.8, §13.10 to §13.17.</summary>
public class DataOutTests
{
    private const uint UnexpectedUnsolicitedData = 0x0B0C0C;
    private const uint IncorrectAmountOfData = 0x0B0C0D;
    private readonly Site _site = new();

    [Fact]
    public void Immediate_data_alone()
    {
        var data = Pattern(4096);
        _site.LogIn().SaysWrite(1, 8, 4096, data).HearsStatus(1, dataPdus: 0);
        Assert.Equal(data, _site.Read(8 * 512, 4096));
    }

    [Fact]
    public void Solicited_data_alone()
    {
        var data = Pattern(2048);
        _site.LogIn("InitialR2T=Yes ImmediateData=No")
            .SaysWrite(1, 0, 2048)
            .HearsR2T(1, 0, 0, 2048, out var tag).HearsNothing()
            .SaysData(1, tag, 0, 0, data.AsSpan(0, 1000), final: false).HearsNothing()
            .SaysData(1, tag, 1, 1000, data.AsSpan(1000), final: true)
            .HearsStatus(1, dataPdus: 1);
        Assert.Equal(data, _site.Read(0, 2048));
    }

    [Fact]
    public void Immediate_then_unsolicited_then_solicited_data()
    {
        var data = Pattern(8192);
        var initiator = _site.LogIn("InitialR2T=No FirstBurstLength=2048 MaxBurstLength=4096 MaxOutstandingR2T=1")
            .SaysWrite(1, 0, 8192, data[..512], final: false)
            .SaysData(1, PduHeader.ReservedTag, 0, 512, data.AsSpan(512, 512), final: false)
            .SaysData(1, PduHeader.ReservedTag, 1, 1024, data.AsSpan(1024, 1024), final: true)
            .HearsR2T(1, 0, 2048, 4096, out var first).HearsNothing()
            .SaysData(1, first, 0, 2048, data.AsSpan(2048, 4096), final: true)
            .HearsR2T(1, 1, 6144, 2048, out var second)
            .SaysData(1, second, 0, 6144, data.AsSpan(6144), final: true)
            .HearsStatus(1, dataPdus: 2);
        Assert.NotEqual(first, second);
        Assert.Equal(data, _site.Read(0, 8192));
        initiator.HangsUp();
        Assert.Equal(8192, _site.Single<Closed>().BytesWritten);
    }

    [Fact]
    public void What_the_transport_ends_has_sense_in_the_format_of_the_unit()
    {
        // SPC-4 §7.5.8: D_SENSE of the Control mode page, set by MODE SELECT(6).
        byte[] select = [0x15, 0x10, 0, 0, 16, 0, .. new byte[10]];
        byte[] page = [0, 0, 0, 0, 0x0A, 0x0A, 0x04, 0x10, .. new byte[8]];
        _site.LogIn("ImmediateData=No").SaysWrite(1, 0, 512, Pattern(512)).HearsSense(1, UnexpectedUnsolicitedData);
        _site.LogIn(isid: 2).SaysCommand(1, select, write: 16, data: page).HearsStatus(1);
        _site.LogIn("ImmediateData=No", 3).SaysWrite(1, 0, 512, Pattern(512)).HearsSense(1, UnexpectedUnsolicitedData, descriptors: true)
            // A unit that is not there has no mode pages.
            .SaysCommand(2, Write10(0, 1), write: 512, data: Pattern(512), lun: 0x0005_0000_0000_0000).HearsSense(2, UnexpectedUnsolicitedData);
    }

    [Fact]
    public void Bursts_in_flight_may_come_in_any_order()
    {
        var data = Pattern(12288);
        var initiator = _site.LogIn("InitialR2T=Yes ImmediateData=No MaxBurstLength=4096 MaxOutstandingR2T=2")
            .SaysWrite(1, 0, 12288)
            .HearsR2T(1, 0, 0, 4096, out var first).HearsR2T(1, 1, 4096, 4096, out var second).HearsNothing();
        initiator
            .SaysData(1, second, 0, 4096, data.AsSpan(4096, 4096), final: true)
            .HearsR2T(1, 2, 8192, 4096, out var third)
            .SaysData(1, third, 0, 8192, data.AsSpan(8192), final: true)
            .SaysData(1, first, 0, 0, data.AsSpan(0, 4096), final: true)
            .HearsStatus(1, dataPdus: 3);
        Assert.Equal(data, _site.Read(0, 12288));
    }

    [Fact]
    public void Each_session_has_as_many_bursts_in_flight_as_it_agreed_on()
    {
        const string keys = "InitialR2T=Yes ImmediateData=No MaxBurstLength=512";
        var many = _site.LogIn(keys + " MaxOutstandingR2T=4").SaysWrite(1, 0, 1024).HearsR2T(1, 0, 0, 512, out var first).HearsR2T(1, 1, 512, 512, out var second);
        many.SaysData(1, first, 0, 0, Pattern(512), final: true).SaysData(1, second, 0, 512, Pattern(512), final: true).HearsStatus(1);
        // Its task object serves the other session now.
        _site.LogIn(keys + " MaxOutstandingR2T=1", 2).SaysWrite(1, 0, 1024).HearsR2T(1, 0, 0, 512, out var only).HearsNothing()
            .SaysData(1, only, 0, 0, Pattern(512), final: true).HearsR2T(1, 1, 512, 512, out _).HearsNothing();
    }

    [Fact]
    public void Tasks_are_collected_side_by_side()
    {
        var (one, two) = (Pattern(1024, 1), Pattern(1024, 2));
        _site.LogIn("InitialR2T=Yes ImmediateData=No")
            .SaysWrite(1, 0, 1024).HearsR2T(1, 0, 0, 1024, out var first)
            .SaysWrite(2, 2, 1024).HearsR2T(2, 0, 0, 1024, out var second)
            .SaysData(2, second, 0, 0, two.AsSpan(0, 512), final: false)
            .SaysData(1, first, 0, 0, one, final: true).HearsStatus(1)
            .SaysData(2, second, 1, 512, two.AsSpan(512), final: true).HearsStatus(2);
        Assert.Equal([.. one, .. two], _site.Read(0, 2048));
    }

    [Fact]
    public void What_was_not_agreed_on_is_refused()
    {
        _site.LogIn("ImmediateData=No").SaysWrite(1, 0, 512, Pattern(512)).HearsSense(1, UnexpectedUnsolicitedData);
        // What was announced comes, and is not taken.
        _site.LogIn("InitialR2T=Yes", 2).SaysWrite(1, 0, 1024, Pattern(512), final: false).HearsNothing()
            .SaysData(1, PduHeader.ReservedTag, 0, 512, Pattern(512), final: true).HearsSense(1, UnexpectedUnsolicitedData);
        _site.LogIn("FirstBurstLength=512", 3).SaysWrite(1, 0, 1024, Pattern(1024)).HearsSense(1, UnexpectedUnsolicitedData);
        Assert.Equal(new byte[1024], _site.Read(0, 1024));
    }

    [Fact]
    public void More_immediate_data_than_the_command_has_is_refused() => _site.LogIn()
        .SaysCommand(1, Write10(0, 1), write: 512, data: Pattern(1024)).HearsSense(1, UnexpectedUnsolicitedData)
        .SaysWrite(2, 0, 512, Pattern(512)).HearsStatus(2);

    [Fact]
    public void Data_with_a_command_that_takes_none_is_rejected() => _site.LogIn()
        .SaysCommand(1, Read10(0, 1), read: 512, data: Pattern(512)).HearsReject(RejectReason.InvalidPduField)
        .SaysCommand(2, Read10(0, 1), read: 512, cmdSN: 100).HearsData(2, out _);

    [Theory]
    [InlineData(1u, 0, 1024, true)] // DataSN from 0
    [InlineData(0u, 512, 512, true)] // a gap
    [InlineData(0u, 0, 1028, true)] // more than was asked for
    [InlineData(0u, 0, 512, true)] // F before its time
    public void Data_that_does_not_continue_its_burst_ends_the_task(uint dataSN, int offset, int length, bool final) => _site
        .LogIn("InitialR2T=Yes ImmediateData=No")
        .SaysWrite(1, 0, 1024).HearsR2T(1, 0, 0, 1024, out var tag)
        .SaysData(1, tag, dataSN, offset, Pattern(length), final).HearsSense(1, IncorrectAmountOfData)
        // What was on its way still comes, and nobody minds.
        .SaysData(1, tag, dataSN + 1, 0, Pattern(1024), final: true).HearsNothing()
        .SaysWrite(2, 0, 1024).HearsR2T(2, 0, 0, 1024, out var next)
        .SaysData(2, next, 0, 0, Pattern(1024), final: true).HearsStatus(2);

    [Theory]
    [InlineData(1u, 512, 1536)] // DataSN from 0
    [InlineData(0u, 1024, 1024)] // a gap
    [InlineData(0u, 512, 1540)] // beyond FirstBurstLength
    public void Unsolicited_data_that_does_not_continue_its_burst_ends_the_task(uint dataSN, int offset, int length)
    {
        _site.LogIn("InitialR2T=No FirstBurstLength=2048")
            .SaysWrite(1, 0, 4096, Pattern(512), final: false)
            .SaysData(1, PduHeader.ReservedTag, dataSN, offset, Pattern(length), final: true).HearsSense(1, IncorrectAmountOfData)
            .SaysWrite(2, 0, 512, Pattern(512)).HearsStatus(2);
        Assert.Equal(new byte[3584], _site.Read(512, 3584));
    }

    [Fact]
    public void A_burst_may_end_with_a_PDU_without_data()
    {
        _site.LogIn("InitialR2T=No FirstBurstLength=1024")
            .SaysWrite(1, 0, 2048, Pattern(512), final: false)
            .SaysData(1, PduHeader.ReservedTag, 0, 512, [], final: true)
            .HearsR2T(1, 0, 512, 1536, out var tag)
            .SaysData(1, tag, 0, 512, Pattern(2048).AsSpan(512), final: false).HearsNothing()
            .SaysData(1, tag, 1, 2048, [], final: true).HearsStatus(1, dataPdus: 1);
        Assert.Equal([.. Pattern(512), .. Pattern(2048)[512..]], _site.Read(0, 2048));
    }

    /// <summary>RFC 7143 §11.17.1.</summary>
    [Fact]
    public void An_error_is_told_when_all_that_was_asked_for_has_come()
    {
        var initiator = _site.LogIn("InitialR2T=Yes ImmediateData=No MaxBurstLength=1024 MaxOutstandingR2T=2")
            .SaysWrite(1, 0, 4096)
            .HearsR2T(1, 0, 0, 1024, out var first).HearsR2T(1, 1, 1024, 1024, out var second)
            .SaysData(1, first, 7, 0, Pattern(512), final: false).HearsNothing()
            // Whatever comes of it now, in whatever order, is nothing but counted.
            .SaysData(1, second, 0, 1024, Pattern(1024), final: true).HearsNothing()
            .SaysWrite(2, 0, 512).HearsR2T(2, 0, 0, 512, out var other)
            .SaysData(2, other, 0, 0, Pattern(512), final: true).HearsStatus(2)
            .SaysData(1, first, 1, 512, Pattern(512), final: true).HearsSense(1, IncorrectAmountOfData).HearsNothing();
        Assert.Equal([.. Pattern(512), .. new byte[3584]], _site.Read(0, 4096));
        initiator.SaysWrite(1, 0, 512).HearsR2T(1, 0, 0, 512, out var again)
            .SaysData(1, again, 0, 0, Pattern(512), final: true).HearsStatus(1);
    }

    [Fact]
    public void An_error_of_a_command_before_its_turn_is_told_in_its_turn() => _site.LogIn("InitialR2T=No FirstBurstLength=1024 MaxBurstLength=1024")
        .SaysCommand(2, Write10(0, 2), write: 1024, data: Pattern(512), final: false, cmdSN: 101)
        .SaysData(2, PduHeader.ReservedTag, 5, 512, Pattern(512), final: true).HearsNothing()
        .SaysCommand(3, Write10(0, 2), write: 1024, data: Pattern(512), final: false, cmdSN: 102)
        .SaysData(3, PduHeader.ReservedTag, 5, 512, Pattern(256), final: false).HearsNothing()
        .SaysCommand(1, TestUnitReady, cmdSN: 100).HearsStatus(1).HearsSense(2, IncorrectAmountOfData).HearsNothing()
        .SaysData(3, PduHeader.ReservedTag, 6, 768, Pattern(256), final: true).HearsSense(3, IncorrectAmountOfData);

    [Fact]
    public void A_task_whose_error_is_not_told_yet_may_be_aborted() => _site.LogIn("InitialR2T=Yes ImmediateData=No")
        .SaysWrite(1, 0, 1024).HearsR2T(1, 0, 0, 1024, out var tag)
        .SaysData(1, tag, 3, 0, Pattern(512), final: false).HearsNothing()
        .SaysManagement(2, TaskManagementFunction.AbortTask, reference: 1, refCmdSN: 100)
        .HearsManagement(2, TaskManagementResponse.FunctionComplete)
        .SaysData(1, tag, 4, 512, Pattern(512), final: true).HearsNothing()
        .SaysCommand(1, TestUnitReady).HearsStatus(1);

    [Fact]
    public void A_transfer_tag_that_was_not_given_out_ends_the_task() => _site.LogIn("InitialR2T=Yes ImmediateData=No")
        .SaysWrite(1, 0, 1024).HearsR2T(1, 0, 0, 1024, out var tag)
        .SaysData(1, tag + 1, 0, 0, Pattern(1024), final: true).HearsSense(1, IncorrectAmountOfData);

    [Fact]
    public void Unsolicited_data_that_nobody_announced_ends_the_task() => _site.LogIn("InitialR2T=Yes ImmediateData=No")
        .SaysWrite(1, 0, 1024).HearsR2T(1, 0, 0, 1024, out _)
        .SaysData(1, PduHeader.ReservedTag, 0, 0, Pattern(1024), final: true).HearsSense(1, IncorrectAmountOfData);

    [Fact]
    public void Data_for_a_task_that_is_not_there_is_dropped() => _site.LogIn()
        .SaysData(77, 1, 0, 0, Pattern(512), final: true).HearsNothing()
        .SaysNop(2).HearsNop(2);

    [Fact]
    public void A_segment_beyond_what_was_declared_ends_the_connection()
    {
        var site = new Site(new TargetLimits { Offer = new NegotiationOffer { MaxRecvDataSegmentLength = 1024 } });
        var header = new byte[PduHeader.Size];
        var pdu = ScsiCommandPdu.Begin(header);
        (pdu.Final, pdu.Write, pdu.ExpectedDataTransferLength, pdu.CmdSN) = (true, true, 2048, 100);
        header[6] = 1025 >> 8;
        header[7] = 1025 & 0xFF;
        site.LogIn().SaysBytes(header).HearsNothing().IsClosed("1025 bytes of data, more than the 1024 agreed on");
    }

    [Fact]
    public void Less_data_than_the_command_writes_is_an_overflow_and_more_an_underflow()
    {
        var initiator = _site.LogIn();
        // SAM-5 §5.4.2 and RFC 7143 §11.4.5.1: the CDB says two blocks, the initiator sends one.
        initiator.SaysCommand(1, Write10(0, 2), write: 512, data: Pattern(512)).Hears(Opcode.ScsiResponse, out var over);
        var response = new ScsiResponsePdu(over.Bytes);
        Assert.True(response is { Overflow: true, Underflow: false, ResidualCount: 512 });
        initiator.SaysCommand(2, Write10(0, 1), write: 1024, data: Pattern(1024)).Hears(Opcode.ScsiResponse, out var under);
        response = new ScsiResponsePdu(under.Bytes);
        Assert.True(response is { Overflow: false, Underflow: true, ResidualCount: 512 });
    }

    [Fact]
    public void A_write_without_data_is_all_overflow() => _site.LogIn()
        .SaysCommand(1, Write10(0, 1)).HearsStatus(1, over: 512);

    [Fact]
    public void Commands_beyond_the_connections_memory_wait_for_it()
    {
        var site = new Site(new TargetLimits { ConnectionTransfer = 4096, TaskTransfer = 4096 });
        var data = Pattern(4096);
        var initiator = site.LogIn("InitialR2T=Yes ImmediateData=No")
            .SaysWrite(1, 0, 4096).HearsR2T(1, 0, 0, 4096, out var first)
            .SaysWrite(2, 8, 4096).SaysWrite(3, 16, 4096).HearsNothing()
            .SaysData(1, first, 0, 0, data, final: true);
        initiator.Hears(Opcode.ScsiResponse, out var done).HearsR2T(2, 0, 0, 4096, out var second)
            .SaysData(2, second, 0, 0, data, final: true)
            .HearsStatus(2).HearsR2T(3, 0, 0, 4096, out var third)
            .SaysData(3, third, 0, 0, data, final: true).HearsStatus(3);
        Assert.Equal(1u, done.Tag);
        Assert.Equal([.. data, .. data, .. data], site.Read(0, 3 * 4096));
    }
}
