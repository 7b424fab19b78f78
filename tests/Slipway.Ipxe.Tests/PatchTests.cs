using CsCheck;
using Slipway.Ipxe.Binaries;

namespace Slipway.Ipxe.Tests;

public class PatchTests
{
    private static readonly byte[] Ours = [.. Enumerable.Range(0, 32).Select(i => (byte)(i + 1))];

    private static BinaryPatchRefusal RefusalOf(Action patch) => Assert.Throws<BinaryPatchException>(patch).Refusal;

    [Fact]
    public void The_one_fingerprint_is_replaced_and_nothing_else()
    {
        var file = Programs.Efi();
        var patched = TrustPatch.Apply(file, Ours);
        Assert.Equal(Ours, patched[0x400..0x420]);
        Ours.CopyTo(file, 0x400);
        Assert.Equal(file, patched);
    }

    [Fact]
    public void A_trust_patch_that_is_not_certain_is_refused()
    {
        Assert.Equal(BinaryPatchRefusal.PatternAbsent, RefusalOf(() => TrustPatch.Apply(Programs.Efi(roots: 0), Ours)));
        Assert.Equal(BinaryPatchRefusal.PatternTwice, RefusalOf(() => TrustPatch.Apply(Programs.Efi(roots: 2), Ours)));
        Assert.Equal(BinaryPatchRefusal.AlreadyPatched, RefusalOf(() => TrustPatch.Apply(TrustPatch.Apply(Programs.Efi(), Ours), Ours)));
        Assert.Equal(BinaryPatchRefusal.NotIpxe, RefusalOf(() => TrustPatch.Apply("#!/bin/sh\n"u8, Ours)));
        Assert.Equal(BinaryPatchRefusal.NotIpxe, RefusalOf(() => TrustPatch.Apply([], Ours)));
        var bios = new byte[4096];
        Convert.FromHexString("ea0500c007").CopyTo(bios, 0);
        Assert.Equal(BinaryPatchRefusal.Compressed, RefusalOf(() => TrustPatch.Apply(bios, Ours)));
        var disk = new byte[4096];
        (disk[510], disk[511]) = (0x55, 0xAA);
        Assert.Equal(BinaryPatchRefusal.Container, RefusalOf(() => TrustPatch.Apply(disk, Ours)));
    }

    [Theory]
    [InlineData(IpxeBinary.X64, 0x1009, "90")]
    [InlineData(IpxeBinary.Arm64, 0x1004, "1f2003d5")]
    [InlineData(IpxeBinary.RiscV64, 0x1000, "13000000")]
    public void The_sleep_becomes_a_no_operation(ushort machine, int at, string expected)
    {
        var file = Programs.Efi(machine);
        var patched = NapPatch.Apply(file);
        var bytes = Convert.FromHexString(expected);
        Assert.Equal(bytes, patched[at..(at + bytes.Length)]);
        bytes.CopyTo(file, at);
        Assert.Equal(file, patched);
    }

    [Fact]
    public void A_nap_patch_that_is_not_certain_is_refused()
    {
        Assert.Equal(BinaryPatchRefusal.PatternAbsent, RefusalOf(() => NapPatch.Apply(Programs.Efi(naps: 0))));
        Assert.Equal(BinaryPatchRefusal.PatternTwice, RefusalOf(() => NapPatch.Apply(Programs.Efi(naps: 2))));
        Assert.Equal(BinaryPatchRefusal.AlreadyPatched, RefusalOf(() => NapPatch.Apply(NapPatch.Apply(Programs.Efi()))));
        Assert.Equal(BinaryPatchRefusal.Machine, RefusalOf(() => NapPatch.Apply(Programs.Efi(IpxeBinary.LoongArch64))));
    }

    [Fact]
    public void Garbage_is_refused_and_nothing_else() => Gen.Select(Gen.Byte.Array[0, 300], Gen.Bool).Sample((junk, dressed) =>
    {
        if (dressed && junk.Length > 2) "MZ"u8.CopyTo(junk);
        Assert.Throws<BinaryPatchException>(() => TrustPatch.Apply(junk, Ours));
        Assert.Throws<BinaryPatchException>(() => NapPatch.Apply(junk));
    });
}
