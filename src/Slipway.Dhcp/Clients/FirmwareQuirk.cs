namespace Slipway.Dhcp.Clients;

public enum FirmwareQuirk
{
    /// <summary>It takes option 67 for a C string and reads past its end.</summary>
    TerminatedBootFile,

    /// <summary>It ignores every offer without option 66, and siaddr with it.</summary>
    NeedsTftpServerName,

    /// <summary>It ignores every offer without a boot menu (option 43) that has its name in it.</summary>
    NeedsRaspberryPiMenu,

    /// <summary>It says that it is a BIOS machine (architecture 0), and is an arm64 one.</summary>
    SaysBiosOnArm64,

    /// <summary>Its option 97 is all zeros or all ones: "not set", and the same on every such board.</summary>
    HasNoUuid,
}
