namespace Slipway.Disks;

/// <summary>Why a medium refused. Each maps to one sense code in the SCSI unit.</summary>
public enum BlockDeviceError
{
    /// <summary>The medium could not be read or written.</summary>
    Io,

    /// <summary>The device takes no writes.</summary>
    ReadOnly,

    /// <summary>No space is left under a thin device.</summary>
    NoSpace,

    /// <summary>The image's own metadata is damaged.</summary>
    Corrupt,
}

/// <summary>A read, write or flush that the medium refused.</summary>
public sealed class BlockDeviceException(BlockDeviceError error, string message, Exception? inner = null)
    : IOException(message, inner)
{
    public BlockDeviceError Error { get; } = error;
}
