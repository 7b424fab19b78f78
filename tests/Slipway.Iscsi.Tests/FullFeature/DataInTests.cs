using Slipway.Disks;
using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Target;
using Slipway.Scsi;
using static Slipway.Iscsi.Tests.ScriptedInitiator;

namespace Slipway.Iscsi.Tests.FullFeature;

/// <summary>RFC 7143 §11.4, §11.7.</summary>
public class DataInTests
{
    private static readonly byte[] Content = Pattern(1 << 20);
    private readonly Site _site = new(disk: new MemoryDisk(Content));

    [Fact]
    public void Status_comes_with_the_last_data()
    {
        _site.LogIn().SaysRead(1, 4, 2).Hears(Opcode.DataIn, out var reply).HearsNothing();
        var pdu = new DataInPdu(reply.Bytes);
        Assert.True(pdu is { Final: true, HasStatus: true, Status: ScsiStatus.Good, Overflow: false, Underflow: false, ResidualCount: 0 });
        Assert.Equal(Content[2048..3072], reply.Data);
    }

    [Fact]
    public void Data_is_cut_to_the_initiators_segments_and_marked_at_the_end_of_a_burst()
    {
        var initiator = _site.LogIn("MaxRecvDataSegmentLength=1024 MaxBurstLength=2560").SaysRead(1, 0, 12);
        (int Length, bool Final)[] expected = [(1024, false), (1024, false), (512, true), (1024, false), (1024, false), (512, true), (1024, true)];
        var offset = 0;
        foreach (var (length, final) in expected)
        {
            initiator.Hears(Opcode.DataIn, out var reply);
            var pdu = new DataInPdu(reply.Bytes);
            Assert.Equal((length, final, (uint)offset), (reply.Data.Length, pdu.Final, pdu.BufferOffset));
            Assert.Equal(Content[offset..(offset + length)], reply.Data);
            offset += length;
            Assert.Equal(offset == 6144, pdu.HasStatus);
        }
        initiator.HearsNothing().HangsUp();
        Assert.Equal(6144, _site.Single<Closed>().BytesRead);
    }

    [Fact]
    public void What_the_initiator_has_no_room_for_is_the_residual()
    {
        _site.LogIn()
            .SaysCommand(1, Read10(0, 2), read: 512).HearsData(1, out var cut, over: 512)
            .SaysCommand(2, Read10(0, 1), read: 1024).HearsData(2, out var all, under: 512)
            .SaysCommand(3, Read10(0, 2)).HearsStatus(3, over: 1024)
            .SaysCommand(4, TestUnitReady, read: 512).HearsStatus(4, under: 512)
            .SaysCommand(5, TestUnitReady, write: 512, data: Pattern(512)).HearsStatus(5, under: 512)
            // Data that goes the other way than was said does not go at all.
            .SaysCommand(6, Write10(0, 1), read: 512).HearsStatus(6, over: 512)
            .SaysCommand(7, Read10(0, 1), write: 512, data: Pattern(512)).HearsStatus(7, over: 512)
            .SaysRead(8, 0, 1).HearsData(8, Content[..512]);
        Assert.Equal(Content[..512], cut);
        Assert.Equal(Content[..512], all);
    }

    [Fact]
    public void Sense_comes_in_a_response_of_its_own() => _site.LogIn()
        .SaysRead(1, uint.MaxValue, 1).HearsSense(1, 0x052100)
        .SaysCommand(2, [0xFF, .. new byte[15]]).HearsSense(2, 0x052000)
        .SaysCommand(3, TestUnitReady, lun: 0x0005_0000_0000_0000).HearsSense(3, 0x052500);

    [Fact]
    public void Digests_protect_both_ways()
    {
        var data = Pattern(1000, 3);
        _site.LogIn("HeaderDigest=CRC32C DataDigest=CRC32C MaxRecvDataSegmentLength=513")
            .SaysNop(9, data[..13]).HearsNop(9, data[..13])
            .SaysWrite(1, 0, 512, data[..512]).HearsStatus(1)
            .SaysRead(2, 0, 4).HearsData(2, out var read);
        Assert.Equal([.. data[..512], .. Content[512..2048]], read);
        _site.LogIn("HeaderDigest=CRC32C", 2).SaysRead(1, 0, 1).HearsData(1, out _);
        _site.LogIn("DataDigest=CRC32C", 3).SaysRead(1, 0, 1).HearsData(1, out _);
    }

    [Fact]
    public void A_damaged_header_ends_the_connection()
    {
        var initiator = _site.LogIn("HeaderDigest=CRC32C");
        var bytes = initiator.Encode(new byte[PduHeader.Size], []);
        bytes[20] ^= 1;
        initiator.SaysBytes(bytes).HearsNothing().IsClosed("header digest");
    }

    [Fact]
    public void Damaged_data_with_a_command_is_rejected_and_the_command_may_come_again()
    {
        var initiator = _site.LogIn("DataDigest=CRC32C");
        var header = new byte[PduHeader.Size];
        var command = ScsiCommandPdu.Begin(header);
        (command.Final, command.Write, command.ExpectedDataTransferLength, command.CmdSN, command.InitiatorTaskTag) = (true, true, 512, initiator.CmdSN, 1);
        Write10(0, 1).CopyTo(command.Cdb);
        header[6] = 2;
        var bytes = initiator.Encode(header, Pattern(512));
        bytes[60] ^= 1;
        initiator.SaysBytes(bytes).HearsReject(RejectReason.DataDigestError)
            .SaysBytes(initiator.Encode(header, Pattern(512))).HearsStatus(1);
        Assert.Equal(Pattern(512), _site.Read(0, 512));
    }

    [Fact]
    public void Damaged_data_of_a_burst_ends_its_task()
    {
        var initiator = _site.LogIn("DataDigest=CRC32C InitialR2T=Yes ImmediateData=No")
            .SaysWrite(1, 0, 512).HearsR2T(1, 0, 0, 512, out var tag);
        var header = new byte[PduHeader.Size];
        var pdu = DataOutPdu.Begin(header);
        (pdu.Final, pdu.InitiatorTaskTag, pdu.TargetTransferTag) = (true, 1, tag);
        header[6] = 2;
        var bytes = initiator.Encode(header, Pattern(512));
        bytes[^1] ^= 1;
        // RFC 7143 §7.8: the Reject, and the end of the task.
        initiator.SaysBytes(bytes).HearsReject(RejectReason.DataDigestError).HearsSense(1, 0x0B4705);
        // §11.17.1: which waits for what was asked for.
        initiator.SaysWrite(2, 0, 1024).HearsR2T(2, 0, 0, 1024, out tag);
        (pdu.Final, pdu.InitiatorTaskTag, pdu.TargetTransferTag) = (false, 2, tag);
        bytes = initiator.Encode(header, Pattern(512));
        bytes[^1] ^= 1;
        initiator.SaysBytes(bytes).HearsReject(RejectReason.DataDigestError).HearsNothing()
            .SaysData(2, tag, 1, 512, Pattern(512), final: true).HearsSense(2, 0x0B4705);
        Assert.Equal(Content[..1024], _site.Read(0, 1024));
    }

    [Fact]
    public void A_unit_with_blocks_of_4096_bytes()
    {
        var site = new Site(disk: new MemoryDisk(Content), blockSize: 4096);
        site.LogIn().SaysCommand(1, Read10(3, 1), read: 4096).HearsData(1, Content[12288..16384]);
    }

    [Fact]
    public void Replies_that_are_not_fetched_stop_the_reading()
    {
        var limits = TargetLimits.Default with { SendBacklog = 64 * 1024 };
        var site = new Site(limits, new MemoryDisk(Content));
        var initiator = site.LogIn();
        initiator.Deaf = true;
        // 32 reads of 64 KiB: far more than one peer may leave with us.
        var taken = 0;
        for (var i = 0u; i < 32; i++)
        {
            var header = new byte[PduHeader.Size];
            var command = ScsiCommandPdu.Begin(header);
            (command.Final, command.Read, command.ExpectedDataTransferLength, command.CmdSN, command.InitiatorTaskTag) = (true, true, 65536, initiator.CmdSN + i, i);
            Read10(0, 128).CopyTo(command.Cdb);
            if (initiator.Connection.Receive(header) == 0)
                break;
            taken++;
        }
        Assert.InRange(taken, 1, 3);
        Assert.True(initiator.Connection.IsPaused);
        Assert.InRange(initiator.Connection.Output.Length, 65536, 3 * 66000);
        initiator.Deaf = false;
        initiator.Drain();
        Assert.False(initiator.Connection.IsPaused);
        for (var i = 0u; i < taken; i++)
            initiator.HearsData(i, Content[..65536]);
    }
}
