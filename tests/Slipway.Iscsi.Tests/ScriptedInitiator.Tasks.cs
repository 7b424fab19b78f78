using System.Buffers.Binary;
using Slipway.Iscsi.Pdu;
using Slipway.Scsi;

namespace Slipway.Iscsi.Tests;

internal sealed partial class ScriptedInitiator
{
    private byte[] _dataIn = [];

    public static byte[] Read10(uint lba, ushort blocks) => Cdb(0x28, lba, blocks);

    public static byte[] Write10(uint lba, ushort blocks) => Cdb(0x2A, lba, blocks);

    public static byte[] TestUnitReady => new byte[16];

    /// <summary>Bytes that differ from their neighbours and from zero.</summary>
    public static byte[] Pattern(int length, int seed = 1)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>A SCSI Command; its CmdSN is the next, and for one that is not immediate is used up.</summary>
    public ScriptedInitiator SaysCommand(
        uint tag, byte[] cdb, int read = 0, int write = 0, byte[]? data = null, bool final = true, bool immediate = false, uint? cmdSN = null,
        ulong lun = 0, Action<byte[]>? with = null)
    {
        var bytes = new byte[PduHeader.Size];
        var command = ScsiCommandPdu.Begin(bytes);
        bytes[0] |= immediate ? Immediate : (byte)0;
        command.Final = final;
        command.Read = read > 0;
        command.Write = write > 0;
        command.Attribute = TaskAttribute.Simple;
        command.Lun = lun;
        command.InitiatorTaskTag = tag;
        command.ExpectedDataTransferLength = (uint)Math.Max(read, write);
        command.CmdSN = cmdSN ?? (immediate ? CmdSN : CmdSN++);
        cdb.CopyTo(command.Cdb);
        with?.Invoke(bytes);
        return Says(bytes, data);
    }

    public ScriptedInitiator SaysRead(uint tag, uint lba, ushort blocks) => SaysCommand(tag, Read10(lba, blocks), read: blocks * 512);

    /// <summary>WRITE (10) of whole blocks, with some of its data in the command.</summary>
    public ScriptedInitiator SaysWrite(uint tag, uint lba, int length, byte[]? data = null, bool final = true) =>
        SaysCommand(tag, Write10(lba, (ushort)(length / 512)), write: length, data: data, final: final);

    /// <summary>PERSISTENT RESERVE OUT.</summary>
    public ScriptedInitiator SaysReservation(uint tag, byte action, ulong key, ulong actionKey)
    {
        var list = new byte[24];
        BinaryPrimitives.WriteUInt64BigEndian(list, key);
        BinaryPrimitives.WriteUInt64BigEndian(list.AsSpan(8), actionKey);
        SaysCommand(tag, [0x5F, action, 0, 0, 0, 0, 0, 0, 24, .. new byte[7]], write: 24, data: list);
        return this;
    }

    public ScriptedInitiator SaysData(uint tag, uint transferTag, uint dataSN, int offset, ReadOnlySpan<byte> data, bool final)
    {
        var bytes = new byte[PduHeader.Size];
        var pdu = DataOutPdu.Begin(bytes);
        pdu.Final = final;
        pdu.InitiatorTaskTag = tag;
        pdu.TargetTransferTag = transferTag;
        pdu.DataSN = dataSN;
        pdu.BufferOffset = (uint)offset;
        return Says(bytes, data);
    }

    public ScriptedInitiator HearsR2T(uint tag, uint r2tSN, int offset, int length, out uint transferTag)
    {
        var reply = Next(Opcode.ReadyToTransfer);
        var r2t = new ReadyToTransferPdu(reply.Bytes);
        Assert.Equal((tag, r2tSN, (uint)offset, (uint)length), (reply.Tag, r2t.R2TSN, r2t.BufferOffset, r2t.DesiredDataTransferLength));
        Assert.NotEqual(PduHeader.ReservedTag, transferTag = r2t.TargetTransferTag);
        Assert.True(reply.Header.Final);
        return this;
    }

    /// <summary>A SCSI Response without Data-In.</summary>
    public ScriptedInitiator HearsStatus(uint tag, ScsiStatus status = ScsiStatus.Good, uint under = 0, uint over = 0, uint? dataPdus = null)
    {
        var reply = Next(Opcode.ScsiResponse);
        var response = new ScsiResponsePdu(reply.Bytes);
        Assert.Equal((tag, status), (reply.Tag, response.Status));
        CheckResidual(response.Underflow, response.Overflow, response.ResidualCount, under, over);
        Assert.Equal(0, response.Response);
        if (dataPdus is not null)
            Assert.Equal(dataPdus, response.ExpDataSN);
        return this;
    }

    /// <summary>CHECK CONDITION with this key, code and qualifier, as 0xKCCQQ.</summary>
    public ScriptedInitiator HearsSense(uint tag, uint code, bool descriptors = false)
    {
        var reply = Next(Opcode.ScsiResponse);
        var response = new ScsiResponsePdu(reply.Bytes);
        Assert.Equal((tag, ScsiStatus.CheckCondition), (reply.Tag, response.Status));
        // RFC 7143 §11.4.7.2: SenseLength, then the sense.
        Assert.Equal(reply.Data.Length - 2, BinaryPrimitives.ReadUInt16BigEndian(reply.Data));
        var sense = reply.Data.AsSpan(2);
        // SPC-4 §4.5.1: the descriptor format, or the fixed.
        Assert.Equal(descriptors ? 0x72 : 0x70, sense[0]);
        Assert.Equal(code.ToString("x6"), descriptors ? $"{sense[1]:x2}{sense[2]:x2}{sense[3]:x2}" : $"{sense[2] & 15:x2}{sense[12]:x2}{sense[13]:x2}");
        return this;
    }

    /// <summary>Data-In PDUs up to the status, in order; <paramref name="data"/> is all that they brought.</summary>
    public ScriptedInitiator HearsData(uint tag, out byte[] data, uint under = 0, uint over = 0)
    {
        var all = new List<byte>();
        for (var dataSN = 0u; ; dataSN++)
        {
            var reply = Next(Opcode.DataIn);
            var pdu = new DataInPdu(reply.Bytes);
            Assert.Equal((tag, dataSN, (uint)all.Count), (reply.Tag, pdu.DataSN, pdu.BufferOffset));
            Assert.Equal(PduHeader.ReservedTag, pdu.TargetTransferTag);
            all.AddRange(reply.Data);
            if (!pdu.HasStatus)
                continue;
            Assert.True(pdu.Final);
            Assert.Equal(ScsiStatus.Good, pdu.Status);
            CheckResidual(pdu.Underflow, pdu.Overflow, pdu.ResidualCount, under, over);
            break;
        }
        data = _dataIn = [.. all];
        return this;
    }

    public ScriptedInitiator HearsData(uint tag, byte[] expected)
    {
        HearsData(tag, out _);
        Assert.Equal(expected, _dataIn);
        return this;
    }

    public ScriptedInitiator SaysManagement(
        uint tag, TaskManagementFunction function, uint reference = PduHeader.ReservedTag, uint refCmdSN = 0, ulong lun = 0, bool immediate = true)
    {
        var bytes = new byte[PduHeader.Size];
        var request = TaskManagementRequestPdu.Begin(bytes);
        bytes[0] |= immediate ? Immediate : (byte)0;
        request.Function = function;
        request.Lun = lun;
        request.InitiatorTaskTag = tag;
        request.ReferencedTaskTag = reference;
        request.RefCmdSN = refCmdSN;
        request.CmdSN = immediate ? CmdSN : CmdSN++;
        return Says(bytes);
    }

    public ScriptedInitiator HearsManagement(uint tag, TaskManagementResponse response)
    {
        var reply = Next(Opcode.TaskManagementResponse);
        Assert.Equal((tag, response), (reply.Tag, new TaskManagementResponsePdu(reply.Bytes).Response));
        return this;
    }

    public ScriptedInitiator SaysNop(uint tag, byte[]? ping = null, bool immediate = true, uint? cmdSN = null, uint transferTag = PduHeader.ReservedTag)
    {
        var bytes = new byte[PduHeader.Size];
        var nop = NopOutPdu.Begin(bytes);
        bytes[0] |= immediate ? Immediate : (byte)0;
        bytes[1] = PduHeader.FinalFlag;
        nop.InitiatorTaskTag = tag;
        nop.TargetTransferTag = transferTag;
        nop.CmdSN = cmdSN ?? (immediate ? CmdSN : CmdSN++);
        return Says(bytes, ping);
    }

    public ScriptedInitiator HearsNop(uint tag, byte[]? ping = null)
    {
        var reply = Next(Opcode.NopIn);
        Assert.Equal((tag, PduHeader.ReservedTag), (reply.Tag, new NopInPdu(reply.Bytes).TargetTransferTag));
        Assert.Equal(ping ?? [], reply.Data);
        return this;
    }

    public ScriptedInitiator SaysLogout(uint tag, LogoutReason reason = LogoutReason.CloseSession, ushort? cid = null, bool immediate = true)
    {
        var bytes = new byte[PduHeader.Size];
        var request = LogoutRequestPdu.Begin(bytes);
        bytes[0] |= immediate ? Immediate : (byte)0;
        request.Reason = reason;
        request.Cid = cid ?? Cid;
        request.InitiatorTaskTag = tag;
        request.CmdSN = immediate ? CmdSN : CmdSN++;
        return Says(bytes);
    }

    public ScriptedInitiator HearsLogout(uint tag, LogoutResult result = LogoutResult.Closed)
    {
        var reply = Next(Opcode.LogoutResponse);
        Assert.Equal((tag, result), (reply.Tag, new LogoutResponsePdu(reply.Bytes).Response));
        return this;
    }

    public ScriptedInitiator SaysText(
        uint tag, string keys, uint transferTag = PduHeader.ReservedTag, bool final = true, bool more = false, byte[]? raw = null)
    {
        var bytes = new byte[PduHeader.Size];
        var request = TextRequestPdu.Begin(bytes);
        request.Final = final;
        request.Continue = more;
        request.InitiatorTaskTag = tag;
        request.TargetTransferTag = transferTag;
        request.CmdSN = CmdSN++;
        return Says(bytes, raw ?? Pairs(keys));
    }

    private static byte[] Cdb(byte code, uint lba, ushort blocks)
    {
        var cdb = new byte[16];
        cdb[0] = code;
        BinaryPrimitives.WriteUInt32BigEndian(cdb.AsSpan(2), lba);
        BinaryPrimitives.WriteUInt16BigEndian(cdb.AsSpan(7), blocks);
        return cdb;
    }

    private static void CheckResidual(bool underflow, bool overflow, uint count, uint under, uint over) =>
        Assert.Equal((under > 0, over > 0, under + over), (underflow, overflow, count));
}
