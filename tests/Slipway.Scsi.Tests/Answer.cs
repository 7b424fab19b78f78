using System.Buffers.Binary;

namespace Slipway.Scsi.Tests;

/// <summary>What came back, with fixed or descriptor sense taken apart.</summary>
internal sealed record Answer(ScsiStatus Status, byte[] Data, long TransferLength, byte[] Sense)
{
    public SenseCode Code => Sense.Length == 0
        ? default
        : (Sense[0] & 0x7F) >= 0x72
            ? new SenseCode((SenseKey)Sense[1], BinaryPrimitives.ReadUInt16BigEndian(Sense.AsSpan(2)))
            : new SenseCode((SenseKey)Sense[2], BinaryPrimitives.ReadUInt16BigEndian(Sense.AsSpan(12)));

    /// <summary>The byte that a field pointer names; null where there is none. Fixed sense only.</summary>
    public int? Field => Sense.Length >= 18 && (Sense[15] & 0x80) != 0 ? BinaryPrimitives.ReadUInt16BigEndian(Sense.AsSpan(16)) : null;

    /// <summary>INFORMATION of fixed sense.</summary>
    public uint? Information => (Sense[0] & 0x80) != 0 ? BinaryPrimitives.ReadUInt32BigEndian(Sense.AsSpan(3)) : null;

    public Answer Good()
    {
        Assert.True(Status == ScsiStatus.Good, $"{Status} {Code}");
        return this;
    }

    /// <param name="code">The name of one of <see cref="SenseCode"/>'s.</param>
    public Answer Refused(string code) => Refused((SenseCode)typeof(SenseCode).GetField(code)!.GetValue(null)!);

    public Answer Refused(SenseCode code)
    {
        Assert.Equal(ScsiStatus.CheckCondition, Status);
        Assert.Equal(code, Code);
        Assert.Empty(Data);
        return this;
    }
}
