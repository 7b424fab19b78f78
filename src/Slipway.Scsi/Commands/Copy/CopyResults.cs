namespace Slipway.Scsi.Commands.Copy;

/// <summary>How a copy stands or ended; <paramref name="Bytes"/> are those of whole segments.</summary>
internal sealed record CopyResult(bool IsComplete, bool HasFailed, int Segments, long Bytes);

/// <summary>
/// The copies of one I_T_L nexus by their list id: running, or ended and not asked about yet. Of the ended
/// ones the oldest go where more are kept than was promised.
/// </summary>
internal sealed class CopyResults
{
    public const byte MaxKept = 16;

    private readonly Lock _lock = new();
    private readonly List<(byte ListId, CopyResult Result)> _results = [];

    /// <summary>False while a copy with the same list id runs.</summary>
    public bool TryBegin(byte listId)
    {
        lock (_lock)
        {
            var index = _results.FindIndex(r => r.ListId == listId);
            if (index >= 0)
            {
                if (!_results[index].Result.IsComplete)
                    return false;
                _results.RemoveAt(index);
            }

            if (_results.Count >= MaxKept && _results.FindIndex(r => r.Result.IsComplete) is >= 0 and var oldest)
                _results.RemoveAt(oldest);
            _results.Add((listId, new(false, false, 0, 0)));
            return true;
        }
    }

    public void End(byte listId, CopyResult result)
    {
        lock (_lock)
            _results[_results.FindIndex(r => r.ListId == listId)] = (listId, result);
    }

    /// <summary>The result, which is forgotten once it is complete; null where there is none.</summary>
    public CopyResult? Take(byte listId)
    {
        lock (_lock)
        {
            var index = _results.FindIndex(r => r.ListId == listId);
            if (index < 0)
                return null;
            var result = _results[index].Result;
            if (result.IsComplete)
                _results.RemoveAt(index);
            return result;
        }
    }
}
