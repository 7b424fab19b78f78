using System.Net;
using Slipway.Fleet.Machines;
using Slipway.Fleet.Profiles;
using Slipway.Volumes.Store;

namespace Slipway.Server.Machines;

/// <summary>What a machine becomes when it is approved: its name, and its disk, which is there or is cloned for it.</summary>
/// <param name="Volume">An absolute path, or the name of a volume in the store; null with <paramref name="Image"/>.</param>
/// <param name="Image">An image to clone; the volume is named as the machine.</param>
/// <param name="Policy">Of the clone.</param>
/// <param name="Address">Its reserved address; one of the pool where null.</param>
internal sealed record Approval(
    string Name, string? Volume = null, string? Image = null, VolumePolicy Policy = VolumePolicy.Keep,
    MachineFirmware Firmware = MachineFirmware.Detect, IPAddress? Address = null,
    string Profile = BootProfiles.Default);
