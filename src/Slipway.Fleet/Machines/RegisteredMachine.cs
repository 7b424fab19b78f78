using System.Net;
using Slipway.Fleet.Profiles;

namespace Slipway.Fleet.Machines;

/// <summary>A machine that was approved while the server ran; those of the site's file are not kept here.</summary>
/// <param name="Volume">As in the site's file: an absolute path, or the name of a volume in the store.</param>
/// <param name="Address">Its reserved address; one of the pool where null.</param>
/// <param name="Profile">What it boots: the name of a profile.</param>
/// <param name="ApprovedBy">For people: <c>an operator</c>, or which rule.</param>
public sealed record RegisteredMachine(
    MacAddress Mac, string Name, string Volume, MachineFirmware Firmware, IPAddress? Address, string ApprovedBy, DateTimeOffset ApprovedAt,
    string Profile = BootProfiles.Default);
