namespace Slipway.Scsi.Commands;

/// <summary>Parameter data (SPC-4 §4.2.5.6): what is sent ends at the allocation length, which is no error.</summary>
internal static class ParameterData
{
    public static ValueTask Answer(this ScsiTask task, ReadOnlySpan<byte> data, long allocationLength)
    {
        task.TransferLength = Math.Min(data.Length, allocationLength);
        var length = (int)Math.Min(task.TransferLength, task.DataInLimit);
        if (length == 0)
            return default;
        var lent = task.LendDataIn(length)[..length];
        data[..length].CopyTo(lent.Span);
        task.DataIn = lent;
        return default;
    }
}
