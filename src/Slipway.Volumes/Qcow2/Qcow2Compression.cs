using System.IO.Compression;
using Slipway.Disks;
using ZstdSharp;

namespace Slipway.Volumes.Qcow2;

/// <summary>Unpacks compressed clusters: raw deflate, or zstd. The bytes may be followed by others ("Compressed Clusters Descriptor").</summary>
internal static class Qcow2Compression
{
    /// <param name="packed">An array that may be longer than <paramref name="length"/>.</param>
    /// <param name="cluster">Filled to its end.</param>
    public static void Unpack(byte[] packed, int length, Span<byte> cluster, bool zstd)
    {
        try
        {
            using var source = new MemoryStream(packed, 0, length, writable: false);
            using Stream stream = zstd ? new DecompressionStream(source) : new DeflateStream(source, CompressionMode.Decompress);
            stream.ReadExactly(cluster);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or ZstdException)
        {
            throw new BlockDeviceException(BlockDeviceError.Corrupt, "qcow2: a compressed cluster cannot be unpacked", e);
        }
    }
}
