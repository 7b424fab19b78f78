using System.Globalization;
using System.Net;
using System.Text;

namespace Slipway.Ipxe.Scripts;

/// <summary>
/// Writes an iPXE script line by line. Text given to a method is data: what iPXE would take as syntax is encoded or
/// refused, so that a machine's name or a secret cannot become a command. Settings are asked for with <see cref="Setting"/>.
/// </summary>
/// <remarks>
/// iPXE's shell (core/exec.c) knows no quotes and no escapes. It splits a line at white space, takes <c>#…</c>,
/// <c>||</c>, <c>&amp;&amp;</c> and <c>;</c> as syntax where they begin or are a word, and expands <c>${name}</c> within
/// each word afterwards. A setting's value can be given in hexadecimal, though, and so hold anything; other text that
/// the shell would misread has no way in and is refused.
/// </remarks>
public sealed class IpxeScript
{
    private readonly StringBuilder _text = new("#!ipxe\n");

    /// <summary>A comment line; line ends in it become blanks.</summary>
    public IpxeScript Comment(string text) => Line("# " + text.ReplaceLineEndings(" "));

    /// <summary><c>dhcp</c> on one interface, or on all in turn.</summary>
    public IpxeScript Dhcp(IpxeText networkInterface = default, string? onFailure = null) =>
        Line(Words("dhcp", networkInterface.Written.Length == 0 ? "" : networkInterface.Word) + Or(onFailure));

    /// <summary>
    /// A device of its own for a VLAN on a card (<c>vcreate</c>), which iPXE calls <c>net0-77</c>. Nothing where it is there
    /// already, or cannot be made: whoever opens it then hears of it.
    /// </summary>
    /// <param name="tag">IEEE 802.1Q: 1 to 4094.</param>
    public IpxeScript CreateVlan(ushort tag, IpxeText card) =>
        Line(Words("vcreate", string.Create(CultureInfo.InvariantCulture, $"--tag {tag}"), card.Word) + " ||");

    public IpxeScript Set(string setting, string value)
    {
        CheckSetting(setting);
        if (value.Length == 0) return Line($"clear {setting}");
        return IpxeText.IsWord(value) ? Line($"set {setting} {value}") : Set(setting, Encoding.UTF8.GetBytes(value));
    }

    /// <summary>A setting of any text in one line, blanks and all; empty clears it.</summary>
    /// <remarks>The rest of a <c>set</c> line is its value (hci/commands/nvo_cmd.c), with one blank between its words.</remarks>
    public IpxeScript SetText(string setting, IpxeText text)
    {
        CheckSetting(setting);
        return Line(text.Written.Length == 0 ? $"clear {setting}" : $"set {setting} {text.Written}");
    }

    /// <summary>A setting of bytes.</summary>
    public IpxeScript Set(string setting, byte[] value)
    {
        CheckSetting(setting);
        return Line($"set {setting}:hex {string.Join(':', value.Select(b => b.ToString("x2", CultureInfo.InvariantCulture)))}");
    }

    public IpxeScript Set(string setting, IPAddress value) => Set(setting, value.ToString());

    /// <summary>The longest packet of a device, in bytes; counts before what DHCP says.</summary>
    public IpxeScript SetMtu(IpxeText device, ushort mtu) => Line(string.Create(CultureInfo.InvariantCulture, $"set {device.Word}/mtu {mtu}"));

    /// <summary>A number, which <see cref="Increment"/> can count up.</summary>
    public IpxeScript Set(string setting, int value)
    {
        CheckSetting(setting);
        return Line(string.Create(CultureInfo.InvariantCulture, $"set {setting}:int32 {value}"));
    }

    /// <summary>Prints text and settings: <c>Echo("My address is " + IpxeScript.Setting("ip"))</c>. Runs of blanks print as one.</summary>
    public IpxeScript Echo(IpxeText text) => Line(text.Written.TrimStart().StartsWith('-') ? $"echo -- {text.Written}" : $"echo {text.Written}".TrimEnd());

    public IpxeScript Sleep(int seconds) => Line($"sleep {seconds}");

    /// <summary>Runs another script or program; on failure goes to a label where one is given.</summary>
    /// <param name="replace">The script that chains gives way: it is not returned to.</param>
    public IpxeScript Chain(IpxeText uri, bool autofree = false, bool replace = false, string? onFailure = null) =>
        Line(Words("chain", autofree ? "--autofree" : "", replace ? "--replace" : "", uri.Word) + Or(onFailure));

    /// <summary>Loads a kernel with its command line.</summary>
    public IpxeScript Kernel(IpxeText uri, IpxeText arguments = default, string? onFailure = null) =>
        Line(Words("kernel", uri.Word, arguments.Written) + Or(onFailure));

    public IpxeScript Initrd(IpxeText uri, string? name = null, string? onFailure = null) =>
        Line(Words("initrd", name is null ? "" : $"--name {IpxeText.Plain(name).Word}", uri.Word) + Or(onFailure));

    /// <summary>Drops every image that is loaded, but for the script that runs (<c>imgfree</c>).</summary>
    /// <remarks>
    /// iPXE hands a kernel all that is loaded as one initial RAM disk (interface/efi/efi_file.c). Under U-Boot that begins
    /// with iPXE's command line, which is bootargs, and the kernel finds "invalid magic at start of compressed archive". An
    /// autoexec.ipxe beside an iPXE that has a script of its own does the same (ipxe/ipxe#1723).
    /// </remarks>
    public IpxeScript FreeImages() => Line("imgfree");

    public IpxeScript Boot(string? onFailure = null) => Line("boot" + Or(onFailure));

    /// <summary>Boots from a SAN disk.</summary>
    /// <param name="paths">To the same disk: one that works is enough. None where <paramref name="options"/> name a drive of the machine's own.</param>
    public IpxeScript SanBoot(IReadOnlyList<IpxeText> paths, SanBootOptions options, string? onFailure = null) =>
        Line(Words(["sanboot", options.Written, .. paths.Select(p => p.Word)]) + Or(onFailure));

    /// <inheritdoc cref="SanBoot"/>
    public IpxeScript SanHook(IReadOnlyList<IpxeText> paths, SanBootOptions options, string? onFailure = null) =>
        Line(Words(["sanhook", options.Written, .. paths.Select(p => p.Word)]) + Or(onFailure));

    public IpxeScript Label(string label) => Line(":" + CheckLabel(label));

    public IpxeScript Goto(string label) => Line("goto " + CheckLabel(label));

    /// <summary>Goes to a label where both sides are equal (<c>iseq</c>).</summary>
    public IpxeScript GotoIfEqual(IpxeText left, IpxeText right, string label) =>
        Line($"iseq {left.Word} {right.Word} && goto {CheckLabel(label)} ||");

    /// <summary>Goes to a label where a setting has a value.</summary>
    public IpxeScript GotoIfSet(string setting, string label)
    {
        CheckSetting(setting);
        return Line($"isset ${{{setting}}} && goto {CheckLabel(label)} ||");
    }

    /// <summary>Goes to a label where a setting, given as <see cref="Setting"/> or <see cref="SettingOf"/>, has no value.</summary>
    public IpxeScript GotoUnlessSet(IpxeText setting, string label) => Line($"isset {setting.Word} || goto {CheckLabel(label)}");

    public IpxeScript Increment(string setting)
    {
        CheckSetting(setting);
        return Line($"inc {setting}");
    }

    /// <summary>Begins a menu (<c>menu</c>); its lines follow, and <see cref="Choose"/> shows it.</summary>
    public IpxeScript Menu(string title) => Line("menu " + IpxeText.Plain(title).Written);

    /// <summary>A line of a menu that can be chosen.</summary>
    public IpxeScript Item(string label, string text) => Line($"item {CheckItem(label)} {IpxeText.Plain(text).Written}");

    /// <summary>Shows the menu and puts the label of what was chosen into a setting.</summary>
    /// <param name="chosen">What is marked at first, and taken after the timeout.</param>
    /// <param name="timeout">Counts until a key is pressed; null: none.</param>
    public IpxeScript Choose(string setting, string chosen, TimeSpan? timeout, string? onFailure = null)
    {
        CheckSetting(setting);
        var wait = timeout is { } time ? string.Create(CultureInfo.InvariantCulture, $"--timeout {(long)time.TotalMilliseconds}") : "";
        return Line(Words("choose", $"--default {CheckItem(chosen)}", wait, setting) + Or(onFailure));
    }

    /// <summary>Lines of somebody else's script, as they are.</summary>
    public IpxeScript Verbatim(string script)
    {
        _text.Append(script.ReplaceLineEndings("\n").TrimEnd('\n')).Append('\n');
        return this;
    }

    public IpxeScript PowerOff() => Line("poweroff");

    public IpxeScript Reboot() => Line("reboot");

    /// <summary>Ends the script; 0 tells the firmware that all went well, other values go on to the next boot entry.</summary>
    public IpxeScript Exit(int status = 0) => Line($"exit {status}");

    public override string ToString() => _text.ToString();

    /// <summary>The script as iPXE wants it: ASCII or UTF-8, LF line ends, no byte order mark.</summary>
    public byte[] ToBytes() => Encoding.UTF8.GetBytes(ToString());

    /// <summary>A setting's value at run time: <c>${net0/mac:hexhyp}</c>.</summary>
    public static IpxeText Setting(string name, string? type = null)
    {
        CheckSetting(name);
        if (type is not null) CheckSetting(type);
        return new(type is null ? $"${{{name}}}" : $"${{{name}:{type}}}");
    }

    /// <summary>A setting of a device whose name is itself made of settings: <c>${net${n}/mac}</c>; iPXE expands the inner one first.</summary>
    public static IpxeText SettingOf(IpxeText device, string name)
    {
        CheckSetting(name);
        return new($"${{{device.Word}/{name}}}");
    }

    private static string Or(string? label) => label is null ? "" : $" || goto {CheckLabel(label)}";

    private static string Words(params ReadOnlySpan<string> words)
    {
        var line = new StringBuilder();
        foreach (var word in words)
        {
            if (word.Length == 0) continue;
            if (line.Length > 0) line.Append(' ');
            line.Append(word);
        }
        return line.ToString();
    }

    private static string CheckLabel(string label) => label.Length > 0 && label.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')
        ? label
        : throw new ArgumentException($"'{label}' is not a label: letters, digits, '_' and '-'", nameof(label));

    private static string CheckItem(string label) => label.Length > 0 && label.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.') && label[0] != '-'
        ? label
        : throw new ArgumentException($"'{label}' is not the label of a menu's line: letters, digits, '_', '-' and '.'", nameof(label));

    private static void CheckSetting(string name)
    {
        if (name.Length == 0 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or '/'))
            throw new ArgumentException($"'{name}' is not the name of a setting", nameof(name));
    }

    private IpxeScript Line(string line)
    {
        _text.Append(line).Append('\n');
        return this;
    }
}
