using System.Buffers.Binary;
using System.Text;

namespace Slipway.Demo.Image;

/// <summary>The shared libraries that a 64-bit little-endian ELF file asks for: DT_NEEDED, and its interpreter.</summary>
internal static class ElfNeeds
{
    private const uint LoadSegment = 1, DynamicSegment = 2, InterpreterSegment = 3;
    private const long Needed = 1, StringTable = 5;

    public static IReadOnlyList<string> Of(ReadOnlySpan<byte> file)
    {
        if (!file.StartsWith("\u007fELF\u0002\u0001"u8)) throw new DemoException("a program for the demo's machine is not a 64-bit ELF file");
        var headers = BinaryPrimitives.ReadInt64LittleEndian(file[0x20..]);
        int size = BinaryPrimitives.ReadUInt16LittleEndian(file[0x36..]), count = BinaryPrimitives.ReadUInt16LittleEndian(file[0x38..]);
        var segments = new List<(uint Type, long Offset, long Address, long Length)>();
        for (var i = 0; i < count; i++)
        {
            var header = file[(int)(headers + i * size)..];
            segments.Add((BinaryPrimitives.ReadUInt32LittleEndian(header), BinaryPrimitives.ReadInt64LittleEndian(header[8..]),
                BinaryPrimitives.ReadInt64LittleEndian(header[16..]), BinaryPrimitives.ReadInt64LittleEndian(header[32..])));
        }

        var names = new List<long>();
        long strings = 0;
        foreach (var dynamic in segments.Where(s => s.Type == DynamicSegment))
        {
            for (var at = dynamic.Offset; at < dynamic.Offset + dynamic.Length; at += 16)
            {
                var value = BinaryPrimitives.ReadInt64LittleEndian(file[(int)(at + 8)..]);
                switch (BinaryPrimitives.ReadInt64LittleEndian(file[(int)at..]))
                {
                    case Needed: names.Add(value); break;
                    case StringTable: strings = value; break;
                }
            }
        }
        var result = new List<string>();
        if (names.Count > 0)
        {
            var holder = segments.Single(s => s.Type == LoadSegment && strings >= s.Address && strings < s.Address + s.Length);
            foreach (var name in names) result.Add(Text(file, strings - holder.Address + holder.Offset + name));
        }
        foreach (var interpreter in segments.Where(s => s.Type == InterpreterSegment)) result.Add(Text(file, interpreter.Offset));
        return result;
    }

    private static string Text(ReadOnlySpan<byte> file, long at)
    {
        var text = file[(int)at..];
        return Encoding.UTF8.GetString(text[..text.IndexOf((byte)0)]);
    }
}
