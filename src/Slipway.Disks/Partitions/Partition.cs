namespace Slipway.Disks.Partitions;

/// <summary>One partition; <paramref name="Offset"/> and <paramref name="Length"/> in bytes, absolute on the disk.</summary>
/// <param name="Number">As the operating systems count: the GPT entry's index plus one; MBR 1-4, logical ones from 5.</param>
/// <param name="Type">A GPT type GUID (UEFI §5.3.3), or null in an MBR table.</param>
/// <param name="MbrType">The MBR's type byte, or 0 in a GPT.</param>
/// <param name="Name">The GPT's partition name; empty in an MBR table.</param>
public sealed record Partition(int Number, Guid? Type, byte MbrType, string Name, long Offset, long Length, Guid Id = default)
{
    /// <summary>What people call the type, or the type itself where it has no name here.</summary>
    public string TypeName => Type is { } guid ? PartitionTypes.NameOf(guid) : PartitionTypes.NameOf(MbrType);

    public long End => Offset + Length;
}
