using System.Globalization;
using System.Text;

namespace Slipway.Demo.Image;

/// <summary>Writes a cpio archive in the "newc" form, which the kernel unpacks as its initial RAM disk
/// (Linux, Documentation/driver-api/early-userspace/buffer-format.rst).</summary>
internal sealed class CpioArchive(Stream output)
{
    private const int Alignment = 4;
    private const uint Directory = 0x4000, RegularFile = 0x8000;
    private readonly HashSet<string> _directories = [];
    private uint _serial;
    private long _written;

    /// <summary>Adds a file that may be executed, and the directories above it.</summary>
    public void AddFile(string path, ReadOnlySpan<byte> content)
    {
        if (Path.GetDirectoryName(path) is { Length: > 0 } parent) AddDirectory(parent);
        AddEntry(path, RegularFile | 0b111_101_101, content);
    }

    public void AddDirectory(string path)
    {
        if (Path.GetDirectoryName(path) is { Length: > 0 } parent) AddDirectory(parent);
        if (_directories.Add(path)) AddEntry(path, Directory | 0b111_101_101, []);
    }

    public void Finish()
    {
        AddEntry("TRAILER!!!", 0, []);
        output.Flush();
    }

    private void AddEntry(string path, uint mode, ReadOnlySpan<byte> content)
    {
        // magic, then 13 fields of eight hex digits: ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
        var name = Encoding.UTF8.GetBytes(path + "\0");
        uint[] fields = [++_serial, mode, 0, 0, 1, 0, (uint)content.Length, 0, 0, 0, 0, (uint)name.Length, 0];
        Write(Encoding.ASCII.GetBytes("070701" + string.Concat(fields.Select(f => f.ToString("X8", CultureInfo.InvariantCulture)))));
        Write(name);
        Pad();
        Write(content);
        Pad();
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        output.Write(bytes);
        _written += bytes.Length;
    }

    private void Pad()
    {
        Span<byte> zeroes = stackalloc byte[Alignment];
        Write(zeroes[..(int)((Alignment - _written % Alignment) % Alignment)]);
    }
}
