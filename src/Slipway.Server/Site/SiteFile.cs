using System.Net;
using Slipway.Dhcp.Networks;
using Slipway.Fleet.Machines;
using Slipway.Volumes.Layers;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Slipway.Server.Site;

/// <summary>Reads <c>slipway.yaml</c>. Every mistake is told with its line, and what stands there.</summary>
public static class SiteFile
{
    /// <exception cref="SiteConfigurationException">The file is missing, is no YAML, or says what cannot be.</exception>
    public static SiteConfiguration Load(string path)
    {
        try
        {
            using var reader = File.OpenText(path);
            return Parse(reader, path);
        }
        catch (IOException e)
        {
            throw new SiteConfigurationException($"{path}: {e.Message}", e);
        }
    }

    /// <param name="file">What to call it in messages. Paths in the file are relative to its folder.</param>
    public static SiteConfiguration Parse(TextReader text, string file)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(text);
        }
        catch (YamlException e)
        {
            throw new SiteConfigurationException($"{file}:{e.Start.Line}: {e.Message}", e);
        }
        if (stream.Documents is not [var document])
            throw new SiteConfigurationException($"{file}: one YAML document is expected, not {stream.Documents.Count}");
        var root = new YamlSection(file, "", document.RootNode);
        root.Allow("name", "state", "ipxe", "networks", "machines");
        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        var configuration = new SiteConfiguration
        {
            Name = root.Name("name", "site"),
            State = Path.Combine(folder, root.Text("state", "/var/lib/slipway")),
            Ipxe = Path.Combine(folder, root.Text("ipxe", "/usr/lib/ipxe")),
            Networks = [.. root.List("networks").Select(Network)],
            Machines = [.. root.List("machines").Select(section => Machine(section, folder))],
        };
        CheckUnique(root.List("machines"), "mac", configuration.Machines.Select(m => m.Mac.ToString()));
        CheckUnique(root.List("machines"), "name", configuration.Machines.Select(m => m.Name));
        CheckUnique(root.List("machines"), "volume", configuration.Machines.Select(m => m.Volume));
        CheckUnique(root.List("networks"), "name", configuration.Networks.Select(n => n.Name));
        CheckUnique(root.List("networks"), "interface", configuration.Networks.Select(n => n.Interface));
        return configuration;
    }

    private static NetworkSettings Network(YamlSection section)
    {
        section.Allow("name", "interface", "address", "pool", "router", "dns", "mode");
        var address = section.Value("address", "an address with its prefix length, like 10.77.0.1/24", Prefixed);
        var subnet = IPNetwork.Parse(address.Subnet);
        var mode = section.Value("mode", "authoritative, proxy or off", ModeOf, NetworkMode.Authoritative);
        var pool = section.Value<AddressRange?>("pool", "two addresses with a hyphen between, like 10.77.0.100-10.77.0.200", Range, null);
        if (pool is { } range && !(subnet.Contains(range.First) && subnet.Contains(range.Last)))
            throw section.Wrong("pool", $"{range} is not inside {subnet}");
        return new NetworkSettings
        {
            Name = section.Name("name"),
            Interface = section.Text("interface"),
            Address = address.Address,
            PrefixLength = subnet.PrefixLength,
            Mode = mode,
            Pool = pool,
            Router = section.Value<IPAddress?>("router", "an IPv4 address", V4, null),
            Dns = [.. section.Texts("dns").Select(text => V4(text) ?? throw section.Wrong("dns", $"'{text}' is not an IPv4 address"))],
        };
    }

    private static MachineSettings Machine(YamlSection section, string folder)
    {
        section.Allow("name", "mac", "volume", "firmware", "address", "faults", "trace");
        return new MachineSettings
        {
            Name = section.Name("name"),
            Mac = section.Value("mac", "an Ethernet address, like 52:54:00:12:34:56", Mac),
            Volume = VolumeOf(section.Text("volume"), folder),
            Faults = [.. section.Texts("faults").Select(text => Fault(section, text))],
            Trace = section.Text("trace", "") is { Length: > 0 } trace ? Path.Combine(folder, trace) : null,
            Firmware = section.Value("firmware", "uboot, ibft or detect", FirmwareOf, MachineFirmware.Detect),
            Address = section.Value<IPAddress?>("address", "an IPv4 address", V4, null),
        };
    }

    // A file has a folder or an extension before it; the name of a volume in the store has neither.
    private static string VolumeOf(string text, string folder) =>
        text.AsSpan().ContainsAny('/', '.') ? Path.Combine(folder, text) : text;

    private static FaultRule Fault(YamlSection section, string text)
    {
        try
        {
            return FaultRuleText.Parse(text);
        }
        catch (FormatException e)
        {
            throw section.Wrong("faults", e.Message);
        }
    }

    private static (IPAddress Address, string Subnet)? Prefixed(string text)
    {
        if (text.Split('/') is not [var address, var length] || V4(address) is not { } parsed
            || !int.TryParse(length, out var bits) || bits is < 8 or > 30)
            return null;
        var bytes = parsed.GetAddressBytes();
        for (var bit = bits; bit < 32; bit++)
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        return (parsed, $"{new IPAddress(bytes)}/{bits}");
    }

    private static AddressRange? Range(string text) =>
        text.Split('-', StringSplitOptions.TrimEntries) is [var first, var last] && V4(first) is { } from && V4(last) is { } to
            && from.GetAddressBytes().AsSpan().SequenceCompareTo(to.GetAddressBytes()) <= 0
            ? new AddressRange(from, to)
            : null;

    // IPAddress.Parse takes "10" for 0.0.0.10; an operator who writes that means something else.
    private static IPAddress? V4(string text) =>
        text.Count(c => c == '.') == 3 && IPAddress.TryParse(text, out var address) && address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork
            ? address
            : null;

    private static MacAddress? Mac(string text) => MacAddress.TryParse(text, null, out var mac) ? mac : null;

    private static NetworkMode? ModeOf(string text) => text switch
    {
        "authoritative" => NetworkMode.Authoritative,
        "proxy" => NetworkMode.Proxy,
        "off" => NetworkMode.Off,
        _ => null,
    };

    private static MachineFirmware? FirmwareOf(string text) => text switch
    {
        "uboot" => MachineFirmware.UBoot,
        "ibft" => MachineFirmware.Ibft,
        "detect" => MachineFirmware.Detect,
        _ => null,
    };

    private static void CheckUnique(IReadOnlyList<YamlSection> sections, string key, IEnumerable<string> values)
    {
        var seen = new HashSet<string>();
        foreach (var (section, value) in sections.Zip(values))
        {
            if (!seen.Add(value))
                throw section.Wrong(key, $"'{value}' is there twice");
        }
    }
}
