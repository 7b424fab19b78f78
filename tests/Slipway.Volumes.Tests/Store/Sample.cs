namespace Slipway.Volumes.Tests.Store;

internal static class Sample
{
    /// <summary>Noise, text and holes, so that a part compresses and a part is not there.</summary>
    public static byte[] Disk(int size = 6 << 20, int seed = 1)
    {
        var content = new byte[size];
        var random = new Random(seed);
        random.NextBytes(content.AsSpan(size / 4, size / 8));
        content.AsSpan(size / 2, size / 8).Fill(0x5a);
        random.NextBytes(content.AsSpan(size - 5000, 4000));
        return content;
    }
}
