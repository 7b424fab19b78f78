using System.IO.Compression;
using Slipway.Disks;
using ZstdSharp;

namespace Slipway.Volumes.Qcow2;

/// <summary>Unpacks compressed clusters: raw deflate, or zstd. The bytes may be followed by others ("Compressed Clusters Descriptor").</summary>
internal static class Qcow2Compression
{
    public static byte[] Unpack(byte[] packed, int clusterSize, bool zstd)
    {
        var cluster = new byte[clusterSize];
        try
        {
            using var source = new MemoryStream(packed, writable: false);
            using Stream stream = zstd ? new DecompressionStream(source) : new DeflateStream(source, CompressionMode.Decompress);
            stream.ReadExactly(cluster);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or ZstdException)
        {
            throw new BlockDeviceException(BlockDeviceError.Corrupt, "qcow2: a compressed cluster cannot be unpacked", e);
        }
        return cluster;
    }
}
