namespace Slipway.Scsi.Commands;

/// <summary>The commands of one kind of unit, found by operation code and, where the standard has one, service action.</summary>
internal sealed class CommandTable
{
    private readonly CommandRow[]?[] _byOperationCode = new CommandRow[]?[256];

    public CommandTable(params ReadOnlySpan<CommandRow[]> families)
    {
        var rows = new List<CommandRow>();
        foreach (var family in families)
            rows.AddRange(family);
        Rows = [.. rows.OrderBy(r => r.OperationCode).ThenBy(r => r.ServiceAction)];
        foreach (var group in Rows.GroupBy(r => r.OperationCode))
            _byOperationCode[group.Key] = [.. group];
    }

    public IReadOnlyList<CommandRow> Rows { get; }

    /// <summary>All rows of an operation code; null where the unit does not know it.</summary>
    public CommandRow[]? Find(byte operationCode) => _byOperationCode[operationCode];

    /// <summary>The row for a CDB, or null and the reason.</summary>
    public CommandRow? Find(ReadOnlySpan<byte> cdb, out SenseCode refusal)
    {
        var rows = _byOperationCode[cdb[0]];
        if (rows is null)
        {
            refusal = SenseCode.InvalidCommandOperationCode;
            return null;
        }

        refusal = SenseCode.InvalidFieldInCdb;
        if (rows[0].ServiceAction is null)
            return rows[0];
        var serviceAction = cdb[1] & 0x1F;
        foreach (var row in rows)
        {
            if (row.ServiceAction == serviceAction)
                return row;
        }

        return null;
    }
}
