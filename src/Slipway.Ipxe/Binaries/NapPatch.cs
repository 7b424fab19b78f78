namespace Slipway.Ipxe.Binaries;

/// <summary>
/// Takes the sleep out of iPXE's <c>cpu_nap()</c>. Between polls iPXE halts the processor until an interrupt; U-Boot has
/// no timer interrupt, so that there it would never wake. The instruction becomes a no-operation of equal length.
/// </summary>
public static class NapPatch
{
    // -1 stands for any byte. x86: cmpl $0,efi_shutdown_in_progress(%rip); jne +1; hlt; ret.
    private static readonly short[] X64Nap = [0x83, 0x3D, -1, -1, -1, -1, 0x00, 0x75, 0x01, 0xF4, 0xC3];

    // cbnz w0, +8; wfi; ret.
    private static readonly short[] Arm64Nap = [0x40, 0x00, 0x00, 0x35, 0x7F, 0x20, 0x03, 0xD5, 0xC0, 0x03, 0x5F, 0xD6];

    // wfi; c.jr ra.
    private static readonly short[] RiscV64Nap = [0x73, 0x00, 0x50, 0x10, 0x82, 0x80];

    /// <exception cref="BinaryPatchException">The file is not one that can be patched; the message says why.</exception>
    public static byte[] Apply(ReadOnlySpan<byte> file)
    {
        IpxeBinary.RequireEfi(file);
        var machine = IpxeBinary.MachineOf(file);
        (short[] Pattern, int Place, byte[] NoOperation) nap = machine switch
        {
            IpxeBinary.X64 => (X64Nap, 9, [0x90]),
            IpxeBinary.Arm64 => (Arm64Nap, 4, [0x1F, 0x20, 0x03, 0xD5]),
            IpxeBinary.RiscV64 => (RiscV64Nap, 0, [0x13, 0x00, 0x00, 0x00]),
            _ => throw new BinaryPatchException(BinaryPatchRefusal.Machine, $"for machine {machine:X4} the sleeping instruction is not known"),
        };
        var at = Find(file, nap.Pattern, 0);
        if (at < 0)
        {
            var done = nap.Pattern.ToArray();
            for (var i = 0; i < nap.NoOperation.Length; i++) done[nap.Place + i] = nap.NoOperation[i];
            throw Find(file, done, 0) >= 0 && machine != IpxeBinary.RiscV64
                ? new BinaryPatchException(BinaryPatchRefusal.AlreadyPatched, "the sleep is already taken out of this iPXE")
                : new BinaryPatchException(BinaryPatchRefusal.PatternAbsent,
                    "iPXE's sleeping instruction is not where a known build has it; this build may have none (NAP_NULL), or is too new");
        }
        if (Find(file, nap.Pattern, at + 1) is >= 0 and var second)
        {
            throw new BinaryPatchException(BinaryPatchRefusal.PatternTwice,
                $"the sleeping instruction is there twice, at {at} and at {second}: which one is cpu_nap() is not known, so none was changed");
        }
        var patched = file.ToArray();
        nap.NoOperation.CopyTo(patched, at + nap.Place);
        return patched;
    }

    private static int Find(ReadOnlySpan<byte> file, short[] pattern, int from)
    {
        while (from <= file.Length - pattern.Length)
        {
            var next = file[from..].IndexOf((byte)pattern[0]);
            if (next < 0) return -1;
            from += next;
            if (from > file.Length - pattern.Length) return -1;
            var i = 1;
            while (i < pattern.Length && (pattern[i] < 0 || pattern[i] == file[from + i])) i++;
            if (i == pattern.Length) return from;
            from++;
        }
        return -1;
    }
}
