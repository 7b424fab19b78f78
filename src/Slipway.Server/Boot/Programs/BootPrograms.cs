using System.Collections.Frozen;
using System.Net;
using System.Security.Cryptography;
using Slipway.Dhcp.Clients;
using Slipway.Ipxe.Binaries;
using Slipway.Tftp.Server;

namespace Slipway.Server.Boot.Programs;

/// <summary>
/// The iPXE binaries of this site: stock ones with the site's authority in the place of iPXE's own, in memory. They are made
/// when something of them is asked for first: packing undionly.kpxe anew takes tens of milliseconds, and a server that starts
/// again has guests that wait for their disks.
/// </summary>
public sealed class BootPrograms : ITftpFiles
{
    // Debian's names, and what each is for. The first that is there serves the platform.
    private static readonly (BootPlatform Platform, string[] Names)[] Known =
    [
        (BootPlatform.X64Uefi, ["ipxe-amd64.efi", "ipxe-x86_64.efi", "ipxe.efi", "snponly.efi"]),
        (BootPlatform.Arm64Uefi, ["ipxe-arm64.efi"]),
        (BootPlatform.RiscV64Uefi, ["ipxe-riscv64.efi"]),
        (BootPlatform.Bios, ["undionly.kpxe"]),
    ];

    private readonly Lazy<Content> _made;

    /// <param name="folder">Where the host keeps iPXE.</param>
    /// <param name="fingerprint">SHA-256 of the root that they are to trust.</param>
    public BootPrograms(string folder, byte[] fingerprint) => _made = new(() => Make(folder, fingerprint));

    /// <summary>Which file a platform boots, where there is one.</summary>
    public IReadOnlyDictionary<BootPlatform, string> ByPlatform => _made.Value.ByPlatform;

    /// <summary>Files that are there but cannot be given this site's authority, with the reason.</summary>
    public IReadOnlyList<string> Refused => _made.Value.Refused;

    private static Content Make(string folder, ReadOnlySpan<byte> fingerprint)
    {
        var files = new Dictionary<string, byte[]>();
        var platforms = new Dictionary<BootPlatform, string>();
        var refused = new List<string>();
        foreach (var (platform, names) in Known)
        {
            foreach (var name in names)
            {
                var path = Path.Combine(folder, name);
                if (!File.Exists(path))
                    continue;
                try
                {
                    var content = File.ReadAllBytes(path);
                    files[name] = Trusting(content, fingerprint);
                    platforms.TryAdd(platform, name);
                }
                catch (BinaryPatchException e)
                {
                    refused.Add($"{path}: {e.Message}");
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    // Such as a link that leads nowhere.
                    refused.Add(e.Message);
                }
            }
        }
        return new(files.ToFrozenDictionary(), platforms.ToFrozenDictionary(), refused);
    }

    private static byte[] Trusting(byte[] program, ReadOnlySpan<byte> fingerprint)
    {
        try
        {
            return TrustPatch.Apply(program, fingerprint);
        }
        catch (BinaryPatchException e) when (e.Refusal == BinaryPatchRefusal.AlreadyPatched)
        {
            // It may be signed: as it is then.
            return program;
        }
    }

    /// <summary>The file's bytes; null where there is none of that name.</summary>
    public byte[]? Find(string name) => _made.Value.Files.GetValueOrDefault(name);

    /// <summary>What changes when the file does.</summary>
    public string TagOf(string name) => Convert.ToHexStringLower(SHA256.HashData(_made.Value.Files[name]).AsSpan(0, 12));

    public TftpAnswer Open(string name, IPEndPoint client) =>
        _made.Value.Files.TryGetValue(name, out var content) ? TftpAnswer.Of(content) : TftpAnswer.NotFound(name);

    private sealed record Content(FrozenDictionary<string, byte[]> Files, FrozenDictionary<BootPlatform, string> ByPlatform, IReadOnlyList<string> Refused);
}
