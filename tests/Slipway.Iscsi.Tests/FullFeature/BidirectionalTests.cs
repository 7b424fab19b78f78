using Slipway.Disks;
using Slipway.Iscsi.Pdu;
using Slipway.Scsi;
using static Slipway.Iscsi.Tests.ScriptedInitiator;

namespace Slipway.Iscsi.Tests.FullFeature;

/// <summary>
/// Commands with R and W (RFC 7143 §11.2.2.4, §11.4.5). No unit here knows one that does both, so one of the two lengths is
/// always left over.
/// </summary>
public class BidirectionalTests
{
    private static readonly byte[] Content = Pattern(1 << 20);
    private readonly Site _site = new(disk: new MemoryDisk(Content));

    [Theory]
    [InlineData("0005 02 00 00000400", 512, "u512")]
    [InlineData("0005 02 00 00000200", 512, "")]
    [InlineData("0005 02 00 00000100", 256, "o256")]
    [InlineData("0005 02 00 00000000", 0, "o512")]
    [InlineData("", 0, "o512")] // no length is none
    [InlineData("0009 01 00 0000000000000000 0005 02 00 00000200", 512, "")] // behind an extended CDB
    [InlineData("0006 02 00 00000200", 0, "o512")] // longer than the header says
    public void What_is_read_has_a_length_and_a_residual_of_its_own(string segments, int length, string residual)
    {
        var initiator = Says(_site.LogIn(), Read10(0, 1), 512, segments, []);
        initiator.HearsR2T(1, 0, 0, 512, out var tag).SaysData(1, tag, 0, 0, Pattern(512, 2), final: true);
        if (length > 0)
        {
            initiator.Hears(Opcode.DataIn, out var data);
            Assert.Equal(Content[..length], data.Data);
            Assert.True(new DataInPdu(data.Bytes) is { Final: true, HasStatus: false });
        }
        Hears(initiator, "U512", residual);
        Assert.Equal(Content[..512], _site.Read(0, 512));
    }

    [Fact]
    public void What_is_written_leaves_the_room_to_read_unused()
    {
        Hears(Says(_site.LogIn(), Write10(0, 1), 512, "0005 02 00 00000200", Pattern(512, 2)), "", "u512");
        Assert.Equal(Pattern(512, 2), _site.Read(0, 512));
    }

    private static ScriptedInitiator Says(ScriptedInitiator initiator, byte[] cdb, int write, string segments, byte[] data)
    {
        var additional = Convert.FromHexString(segments.Replace(" ", "", StringComparison.Ordinal));
        var bytes = new byte[PduHeader.Size];
        var command = ScsiCommandPdu.Begin(bytes);
        command.Final = command.Read = command.Write = true;
        command.InitiatorTaskTag = 1;
        command.ExpectedDataTransferLength = (uint)write;
        command.CmdSN = initiator.CmdSN++;
        cdb.CopyTo(command.Cdb);
        var header = command.Header;
        header.DataSegmentLength = data.Length;
        header.TotalAhsLength = (byte)(additional.Length / 4);
        return initiator.SaysBytes([.. bytes, .. additional, .. data]);
    }

    private static void Hears(ScriptedInitiator initiator, string written, string read)
    {
        initiator.Hears(Opcode.ScsiResponse, out var reply);
        var response = new ScsiResponsePdu(reply.Bytes);
        Assert.Equal(ScsiStatus.Good, response.Status);
        Assert.Equal(written, (response.Overflow ? $"O{response.ResidualCount}" : "") + (response.Underflow ? $"U{response.ResidualCount}" : ""));
        Assert.Equal(read, (response.ReadOverflow ? $"o{response.ReadResidualCount}" : "") + (response.ReadUnderflow ? $"u{response.ReadResidualCount}" : ""));
    }
}
