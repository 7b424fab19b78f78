namespace Slipway.Dhcp.Clients;

/// <summary>Option 93 (RFC 4578 §2.1 and IANA "Processor Architecture Types").</summary>
public enum ClientArchitecture : ushort
{
    Bios = 0,
    Pc98 = 1,
    Itanium = 2,
    Alpha = 3,
    ArcX86 = 4,
    IntelLeanClient = 5,
    Ia32Uefi = 6,
    X64Uefi = 7,
    XScaleUefi = 8,

    /// <summary>Named "EBC" by IANA; firmware sends it for x64, and 7 and 9 were swapped in RFC 4578's erratum.</summary>
    X64UefiEbc = 9,

    Arm32Uefi = 10,
    Arm64Uefi = 11,
    PowerPcOpenFirmware = 12,
    PowerPcEpapr = 13,
    PowerOpal = 14,
    Ia32UefiHttp = 15,
    X64UefiHttp = 16,
    EbcHttp = 17,
    Arm32UefiHttp = 18,
    Arm64UefiHttp = 19,
    BiosHttp = 20,
    Arm32UBoot = 21,
    Arm64UBoot = 22,
    Arm32UBootHttp = 23,
    Arm64UBootHttp = 24,
    RiscV32Uefi = 25,
    RiscV32UefiHttp = 26,
    RiscV64Uefi = 27,
    RiscV64UefiHttp = 28,
    RiscV128Uefi = 29,
    RiscV128UefiHttp = 30,
    S390Basic = 31,
    S390Extended = 32,
    Mips32Uefi = 33,
    Mips64Uefi = 34,
    Sunway32Uefi = 35,
    Sunway64Uefi = 36,
    LoongArch32Uefi = 37,
    LoongArch32UefiHttp = 38,
    LoongArch64Uefi = 39,
    LoongArch64UefiHttp = 40,
    Arm32RaspberryPi = 41,
}

/// <summary>What a boot file is made for, whichever way it is fetched.</summary>
public enum BootPlatform
{
    Unknown,
    Bios,
    Ia32Uefi,
    X64Uefi,
    Arm32Uefi,
    Arm64Uefi,
    RiscV64Uefi,
    LoongArch64Uefi,
}

public static class ClientArchitectures
{
    public static BootPlatform Platform(this ClientArchitecture architecture) => architecture switch
    {
        ClientArchitecture.Bios or ClientArchitecture.BiosHttp => BootPlatform.Bios,
        ClientArchitecture.Ia32Uefi or ClientArchitecture.Ia32UefiHttp => BootPlatform.Ia32Uefi,
        ClientArchitecture.X64Uefi or ClientArchitecture.X64UefiEbc or ClientArchitecture.X64UefiHttp
            or ClientArchitecture.EbcHttp => BootPlatform.X64Uefi,
        ClientArchitecture.Arm32Uefi or ClientArchitecture.Arm32UefiHttp or ClientArchitecture.Arm32UBoot
            or ClientArchitecture.Arm32UBootHttp => BootPlatform.Arm32Uefi,
        ClientArchitecture.Arm64Uefi or ClientArchitecture.Arm64UefiHttp or ClientArchitecture.Arm64UBoot
            or ClientArchitecture.Arm64UBootHttp => BootPlatform.Arm64Uefi,
        ClientArchitecture.RiscV64Uefi or ClientArchitecture.RiscV64UefiHttp => BootPlatform.RiscV64Uefi,
        ClientArchitecture.LoongArch64Uefi or ClientArchitecture.LoongArch64UefiHttp => BootPlatform.LoongArch64Uefi,
        _ => BootPlatform.Unknown,
    };
}
