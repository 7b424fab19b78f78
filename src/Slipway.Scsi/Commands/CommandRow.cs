using System.Runtime.Intrinsics;

namespace Slipway.Scsi.Commands;

/// <summary>
/// One command that a unit knows. The row drives dispatch, the check of reserved bits and REPORT SUPPORTED OPERATION
/// CODES alike, so these cannot disagree.
/// </summary>
internal sealed class CommandRow
{
    private readonly byte[] _usage;
    private readonly Vector128<byte> _reserved;

    private CommandRow(string name, string usage, ushort? serviceAction, CommandTraits traits, CommandHandler<LogicalUnit> handler)
    {
        Name = name;
        ServiceAction = serviceAction;
        Traits = traits;
        Execute = handler;
        _usage = Convert.FromHexString(usage.Replace(" ", "", StringComparison.Ordinal));

        Span<byte> reserved = stackalloc byte[16];
        for (var i = 1; i < _usage.Length; i++)
            reserved[i] = (byte)~_usage[i];
        if (serviceAction is not null)
            reserved[1] &= 0xE0;
        _reserved = Vector128.Create<byte>(reserved);
    }

    /// <summary>
    /// <paramref name="usage"/> is the CDB USAGE DATA of SPC-4 §6.35.3: the operation code, then for each byte the bits
    /// that the unit evaluates; a service action stands in its place as its value.
    /// </summary>
    public static CommandRow For<TUnit>(
        string name, string usage, CommandTraits traits, CommandHandler<TUnit> handler, ushort? serviceAction = null)
        where TUnit : LogicalUnit =>
        new(name, usage, serviceAction, traits, (unit, nexus, task, cancellation) => handler((TUnit)unit, nexus, task, cancellation));

    public string Name { get; }

    public byte OperationCode => _usage[0];

    public ushort? ServiceAction { get; }

    public CommandTraits Traits { get; }

    public int CdbLength => _usage.Length;

    public ReadOnlySpan<byte> Usage => _usage;

    public CommandHandler<LogicalUnit> Execute { get; }

    public bool Has(CommandTraits traits) => (Traits & traits) != 0;

    /// <summary>The first bit set in a CDB that the row calls reserved, as (byte, bit).</summary>
    public bool HasReservedBit(ReadOnlySpan<byte> cdb, out int position, out int bit)
    {
        var wrong = Vector128.Create(cdb) & _reserved;
        if (wrong == Vector128<byte>.Zero)
        {
            position = bit = 0;
            return false;
        }

        position = 0;
        while (wrong[position] == 0)
            position++;
        bit = System.Numerics.BitOperations.Log2(wrong[position]);
        return true;
    }
}
