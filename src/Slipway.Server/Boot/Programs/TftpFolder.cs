using System.Net;
using Microsoft.Win32.SafeHandles;
using Slipway.Server.Machines;
using Slipway.Tftp.Server;
using Slipway.Tftp.Wire;

namespace Slipway.Server.Boot.Programs;

/// <summary>
/// An operator's own files beside the programs: those of <c>machines/NAME/</c>, or <c>machines/MAC/</c> with hyphens, for
/// that machine only, then the others for everybody, then the programs. Links are followed: who makes one in this folder
/// may show what it leads to.
/// </summary>
/// <param name="folder">Null: the programs only.</param>
internal sealed class TftpFolder(string? folder, MachineDirectory machines, BootPrograms programs) : ITftpFiles
{
    private const string OfMachines = "machines/";

    public TftpAnswer Open(string name, IPEndPoint client)
    {
        if (folder is null)
            return programs.Open(name, client);
        if (machines.At(client.Address) is { } mac)
        {
            foreach (var own in (string[])[machines.NameOf(mac), mac.ToHyphenated()])
            {
                if (TryOpen(OfMachines + own + "/" + name) is { } answer)
                    return answer;
            }
        }
        // Another machine's, or its own by the long name: the short one is what its firmware asks for.
        return name.StartsWith(OfMachines, StringComparison.Ordinal) ? TftpAnswer.NotFound(name) : TryOpen(name) ?? programs.Open(name, client);
    }

    /// <summary>Null where there is no such file.</summary>
    private TftpAnswer? TryOpen(string name)
    {
        var path = Path.Combine(folder!, name);
        try
        {
            return File.Exists(path) ? TftpAnswer.Of(new OpenFile(File.OpenHandle(path, options: FileOptions.SequentialScan))) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return TftpAnswer.Refuse(TftpError.AccessViolation, $"{name} cannot be opened: {e.Message}");
        }
    }

    private sealed class OpenFile(SafeFileHandle file) : ITftpContent
    {
        public long Length { get; } = RandomAccess.GetLength(file);

        public int Read(long offset, Span<byte> buffer)
        {
            var done = 0;
            while (done < buffer.Length && RandomAccess.Read(file, buffer[done..], offset + done) is var read and > 0)
                done += read;
            return done;
        }

        public void Dispose() => file.Dispose();
    }
}
