namespace Slipway.Server.Tests.Boot.Programs;

/// <summary>What is an iPXE for UEFI by its first bytes, and was built for one root: it is served as it is.</summary>
internal static class TrustingProgram
{
    public const string Name = "ipxe-amd64.efi";

    public static byte[] For(ReadOnlySpan<byte> fingerprint, int size)
    {
        var program = new byte[size];
        Random.Shared.NextBytes(program);
        "MZ"u8.CopyTo(program);
        BitConverter.GetBytes(0x80).CopyTo(program, 0x3C);
        "PE\0\0"u8.CopyTo(program.AsSpan(0x80));
        (program[0x84], program[0x85]) = (0x64, 0x86);
        "iPXE initialising devices"u8.CopyTo(program.AsSpan(0x200));
        fingerprint.CopyTo(program.AsSpan(0x400));
        return program;
    }
}
