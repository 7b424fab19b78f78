namespace Slipway.Host;

/// <summary>GRUB's own tool, which puts a program together that finds its configuration, or runs a script, by itself.</summary>
internal static class GrubCore
{
    /// <param name="work">A folder for what it takes and makes.</param>
    /// <param name="grub">GRUB's modules, of the same release as the tool.</param>
    /// <param name="format">As <c>grub-mkimage -O</c> names it: <c>i386-pc</c>, <c>x86_64-efi</c>.</param>
    /// <param name="script">What it runs first.</param>
    /// <exception cref="HostProgramException">GRUB is not there, or of another release.</exception>
    public static async Task<byte[]> MakeAsync(
        string work, string grub, string format, ReadOnlyMemory<byte> script, IEnumerable<string> modules, CancellationToken cancellation)
    {
        var (early, program) = (Path.Combine(work, "early.cfg"), Path.Combine(work, "grub-" + format));
        await File.WriteAllBytesAsync(early, script, cancellation);
        await HostProgram.RunAsync("grub-mkimage", ["-d", grub, "-O", format, "-o", program, "-p", "/grub", "-c", early, .. modules], cancellation);
        return await File.ReadAllBytesAsync(program, cancellation);
    }
}
