using Slipway.Disks;

namespace Slipway.Volumes.Layers;

/// <summary>
/// Makes a disk fail by rule, for tests and rehearsals: what does a machine do when its disk is slow, refuses, or loses
/// what it acknowledged? The first rule that matches a call decides, except delays, which add up.
/// </summary>
public sealed class FaultLayer(IBlockDevice below, IReadOnlyList<FaultRule> rules, Random random, TimeProvider time) : LayerDevice(below)
{
    private const int Sector = 512;
    private readonly int[] _matched = new int[rules.Count];
    private readonly Lock _lock = new();

    public override async ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellation = default)
    {
        await MeetAsync(FaultOperations.Read, offset, destination.Length, cancellation);
        await Below.ReadAsync(offset, destination, cancellation);
    }

    public override async ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellation = default)
    {
        switch (await MeetAsync(FaultOperations.Write, offset, source.Length, cancellation))
        {
            case { Kind: FaultKind.DroppedWrite }:
                return;
            case { Kind: FaultKind.TornWrite } rule:
                await Below.WriteAsync(offset, source[..(source.Length / 2 / Sector * Sector)], cancellation);
                throw new BlockDeviceException(rule.Error, $"a rule tore the write of {source.Length} bytes at {offset}");
        }
        await Below.WriteAsync(offset, source, cancellation);
    }

    public override async ValueTask FlushAsync(CancellationToken cancellation = default)
    {
        await MeetAsync(FaultOperations.Flush, 0, long.MaxValue, cancellation);
        await Below.FlushAsync(cancellation);
    }

    public override async ValueTask DiscardAsync(long offset, long length, CancellationToken cancellation = default)
    {
        await MeetAsync(FaultOperations.Discard, offset, length, cancellation);
        await Below.DiscardAsync(offset, length, cancellation);
    }

    public override async ValueTask WriteZeroesAsync(long offset, long length, bool mayDiscard, CancellationToken cancellation = default)
    {
        if (await MeetAsync(FaultOperations.Write, offset, length, cancellation) is { Kind: FaultKind.DroppedWrite }) return;
        await Below.WriteZeroesAsync(offset, length, mayDiscard, cancellation);
    }

    private async ValueTask<FaultRule?> MeetAsync(FaultOperations operation, long offset, long length, CancellationToken cancellation)
    {
        foreach (var rule in Matching(operation, offset, length))
        {
            switch (rule.Kind)
            {
                case FaultKind.Delay:
                    await Task.Delay(rule.Delay, time, cancellation);
                    break;
                case FaultKind.Error:
                    throw new BlockDeviceException(rule.Error, $"a rule refuses this {operation} at {offset}");
                default:
                    return rule;
            }
        }
        return null;
    }

    private List<FaultRule> Matching(FaultOperations operation, long offset, long length)
    {
        var met = new List<FaultRule>();
        lock (_lock)
        {
            for (var i = 0; i < rules.Count; i++)
            {
                var rule = rules[i];
                if ((rule.On & operation) == 0 || offset - rule.Offset >= rule.Length || rule.Offset - offset >= length) continue;
                var number = _matched[i]++;
                if (number >= rule.After && number - rule.After < rule.Times && (rule.Probability >= 1 || random.NextDouble() < rule.Probability)) met.Add(rule);
            }
        }
        return met;
    }
}
