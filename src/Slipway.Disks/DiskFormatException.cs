namespace Slipway.Disks;

/// <summary>
/// What is on the disk is not what it says it is: the only exception that a partition table or file system reader
/// throws for a disk's content, however damaged. The message names the field.
/// </summary>
public sealed class DiskFormatException(string message) : IOException(message);
