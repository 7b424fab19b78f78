using System.Net;
using Slipway.Fleet.Machines;
using Slipway.Fleet.Profiles;
using Slipway.Iscsi.Target;
using Slipway.Volumes.Layers;
using Slipway.Volumes.Store;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Slipway.Server.Site.Yaml;

/// <summary>Reads <c>slipway.yaml</c>. Every mistake is told with its line, and what stands there.</summary>
public static class SiteFile
{
    // Who has more begins with these.
    private const int MostMistakes = 100;

    /// <exception cref="SiteConfigurationException">The file is missing, is no YAML, or says what cannot be.</exception>
    public static SiteConfiguration Load(string path)
    {
        try
        {
            var text = File.ReadAllText(path);
            return Parse(new StringReader(text), path) with { Source = new SiteText(Path.GetFullPath(path), text) };
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new SiteConfigurationException($"there is no {path}: write one (README.md has one to begin with), or name yours with -c", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SiteConfigurationException(Directory.Exists(path) ? $"{path} is a folder: name the file in it" : $"{path} cannot be read: {e.Message}", e);
        }
    }

    /// <param name="file">What to call it in messages. Paths in the file are relative to its folder.</param>
    /// <exception cref="SiteConfigurationException">Every mistake that is there, each with its line.</exception>
    /// <param name="folder">That paths are relative to, where it is not the file's.</param>
    public static SiteConfiguration Parse(TextReader text, string file, string? folder = null)
    {
        var reading = new SiteReading(file);
        var root = RootOf(text, file);
        folder ??= Path.GetDirectoryName(Path.GetFullPath(file))!;
        var mistakes = new List<SiteConfigurationException>();
        var contradictions = true;
        for (var tries = 0; tries < MostMistakes; tries++)
        {
            var reads = true;
            try
            {
                var section = new YamlSection(reading, root);
                var site = Read(section, folder);
                reads = false;
                // What entries say of each other is judged where each is right by itself.
                if (contradictions)
                    Check(site, section);
                if (mistakes.Count == 0)
                    return site;
                break;
            }
            catch (SiteConfigurationException e)
            {
                contradictions &= !reads;
                if (!e.IsConsequence)
                    mistakes.Add(e);
                if (e.Forget is not { } forget)
                    break;
                forget();
            }
        }
        throw SiteConfigurationException.Of(mistakes);
    }

    /// <summary>What the file says, each entry by itself.</summary>
    /// <param name="folder">That paths are relative to.</param>
    internal static SiteConfiguration Read(YamlSection root, string folder)
    {
        root.Allow("name", "state", "ipxe", "tftp", "networks", "machines", "profiles", "approve", "iscsi", "https");
        var https = root.Section("https");
        https?.Allow("certificate", "key", "root", "client-certificates");
        var iscsi = root.Section("iscsi");
        iscsi?.Allow("advertise", "redirect");
        return new SiteConfiguration
        {
            Name = root.Name("name", "site"),
            State = Path.Combine(folder, root.Text("state", "/var/lib/slipway")),
            Tftp = root.Text("tftp", "") is { Length: > 0 } tftp ? Path.Combine(folder, tftp) : null,
            Ipxe = Path.Combine(folder, root.Text("ipxe", "/usr/lib/ipxe")),
            Advertise = iscsi is null ? [] : Advertised(iscsi),
            Redirect = iscsi is null ? null : Redirect(iscsi),
            Networks = [.. root.List("networks").Select(NetworkSection.Network)],
            Machines = [.. root.List("machines").Select(section => Machine(section, folder))],
            Profiles = [.. root.List("profiles").Select(ProfileSection.Profile)],
            Approve = [.. root.List("approve").Select(Rule)],
            Certificate = https is null ? null : Certificate(https, folder),
            ClientCertificates = https is null ? ClientCertificateUse.Off : ClientCertificates(https),
        };
    }

    private static void Check(SiteConfiguration site, YamlSection root)
    {
        if (site.ClientCertificates == ClientCertificateUse.Off
            && root.List("machines").Zip(site.Machines).FirstOrDefault(m => m.Second.NeedsClientCertificate).First is { } asking)
            throw asking.Wrong("client-certificate", "needs https.client-certificates: optional (or required): nobody is asked for one otherwise");
        CheckUnique(root.List("machines"), "mac", site.Machines.Select(m => m.Mac.ToString()));
        CheckUnique(root.List("machines"), "name", site.Machines.Select(m => m.Name));
        CheckUnique(root.List("machines"), "volume", site.Machines.Select(m => m.Volume));
        CheckUnique(root.List("profiles"), "name", site.Profiles.Select(p => p.Name));
        ProfileSection.CheckReferences(site, root);
        CheckUnique(root.List("networks"), "name", site.Networks.Select(n => n.Name));
        CheckUnique([.. root.List("networks").SelectMany(n => n.List("relays"))], "name", site.Networks.SelectMany(n => n.Relays).Select(r => r.Name));
        CheckUnique(root.List("networks"), "interface", site.Networks.Select(n => n.Interface));
        var storage = root.List("networks").Zip(site.Networks).Where(n => n.Second.Role == NetworkRole.Storage).ToList();
        if (storage.Count > 0 && storage.Count == site.Networks.Count)
            throw storage[0].First.Wrong("role", "a site needs a network with role: boot, too: there machines get their addresses and scripts");
        var tagged = storage.Where(n => n.Second.Vlan is not null).ToList();
        CheckUnique([.. tagged.Select(n => n.First)], "vlan", tagged.Select(n => $"{n.Second.Vlan}"));
    }

    /// <summary>The file's one document.</summary>
    internal static YamlNode RootOf(TextReader text, string file)
    {
        var stream = new YamlStream();
        var parser = new Parser(text);
        try
        {
            stream.Load(parser);
        }
        catch (YamlException e)
        {
            throw new SiteConfigurationException($"{file}:{e.Start.Line}: {e.Message}", e);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            // YamlDotNet's own checks of what it built: a mapping that ends in its key, a key that is an alias of itself.
            throw new SiteConfigurationException($"{file}:{parser.Current?.Start.Line ?? 1}: this is no YAML: {e.Message}", e);
        }
        return stream.Documents is [var document] ? document.RootNode
            : throw new SiteConfigurationException($"{file}: one YAML document is expected, not {stream.Documents.Count}");
    }

    private static MachineSettings Machine(YamlSection section, string folder)
    {
        section.Allow("name", "mac", "volume", "profile", "firmware", "address", "faults", "trace", "allow-initiators", "allow-networks", "redirect", "client-certificate");
        return new MachineSettings
        {
            Name = section.Name("name"),
            Mac = section.Value("mac", "an Ethernet address, like 52:54:00:12:34:56", Mac),
            Volume = VolumeOf(section.Text("volume"), folder),
            Profile = section.Text("profile", BootProfiles.Default),
            Faults = [.. section.Texts("faults").Select(text => Fault(section, text))],
            Trace = section.Text("trace", "") is { Length: > 0 } trace ? Path.Combine(folder, trace) : null,
            AllowInitiators = [.. section.Texts("allow-initiators").Select(text =>
                IscsiName.IsValid(text) ? text : throw section.Wrong("allow-initiators", $"'{text}' is not {IscsiName.Rule}"))],
            AllowNetworks = [.. section.Texts("allow-networks").Select(text =>
                InitiatorAccess.ParseNetwork(text) ?? throw section.Wrong("allow-networks", $"'{text}' is not a network, like 10.77.0.0/24"))],
            Redirect = Redirect(section),
            Firmware = section.Value("firmware", "uboot, ibft or detect", MachineFirmwareNames.Parse, MachineFirmware.Detect),
            Address = section.Value<IPAddress?>("address", "an IPv4 address", V4, null),
            NeedsClientCertificate = section.Value("client-certificate", "required or optional", text => text switch
            {
                "required" => true,
                "optional" => false,
                _ => (bool?)null,
            }, false),
        };
    }

    private static CertificateFileSettings? Certificate(YamlSection section, string folder)
    {
        var (certificate, key, root) = (section.Text("certificate", ""), section.Text("key", ""), section.Text("root", ""));
        if (certificate.Length == 0 && key.Length == 0 && root.Length == 0)
            return null;
        return new CertificateFileSettings(
            Path.Combine(folder, section.Text("certificate")), Path.Combine(folder, section.Text("key")), root.Length > 0 ? Path.Combine(folder, root) : null);
    }

    private static ClientCertificateUse ClientCertificates(YamlSection section) =>
        section.Value("client-certificates", "required, optional or off", text => text switch
        {
            "required" => ClientCertificateUse.Required,
            "optional" => ClientCertificateUse.Optional,
            "off" => ClientCertificateUse.Off,
            _ => (ClientCertificateUse?)null,
        }, ClientCertificateUse.Off);

    private static ApprovalRule Rule(YamlSection section)
    {
        section.Allow("mac", "network", "architecture", "name", "image", "policy", "profile", "firmware");
        var rule = new ApprovalRule
        {
            Mac = section.Text("mac", "") is { Length: > 0 } mac ? mac.ToLowerInvariant().Replace('-', ':') : null,
            Network = section.Text("network", "") is { Length: > 0 } network ? network : null,
            Architecture = section.Text("architecture", "") is { Length: > 0 } architecture ? architecture : null,
            Name = section.Text("name", ApprovalRule.DefaultName),
            Image = section.Text("image"),
            Profile = section.Text("profile", BootProfiles.Default),
            Policy = section.Value("policy", "keep or reset", text => text switch
            {
                "keep" => VolumePolicy.Keep,
                "reset" => VolumePolicy.Reset,
                _ => (VolumePolicy?)null,
            }, VolumePolicy.Keep),
            Firmware = section.Value("firmware", "uboot, ibft or detect", MachineFirmwareNames.Parse, MachineFirmware.Detect),
        };
        if (rule is { Mac: null, Network: null, Architecture: null })
            throw section.Wrong("mac", "a rule needs one of mac, network and architecture: without it any machine would get a disk");
        if (!rule.Name.Contains(ApprovalRule.MacInName, StringComparison.Ordinal))
            throw section.Wrong("name", $"'{rule.Name}' must hold {ApprovalRule.MacInName}, so that each machine has a name of its own");
        return rule;
    }

    private static List<IPEndPoint> Advertised(YamlSection section) =>
        [.. section.Texts("advertise").Select(text => Portal.TryParseReachable(text, out var portal)
            ? portal
            : throw section.Wrong("advertise", $"'{text}' is not an address that initiators can connect to, like 10.77.0.1 or 10.77.0.1:3260"))];

    private static IPEndPoint? Redirect(YamlSection section) =>
        section.Value("redirect", "an address that initiators can connect to, like 10.77.0.1 or 10.77.0.1:3260", text => Portal.TryParseReachable(text, out var portal) ? portal : null, null);

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

    // IPAddress.Parse takes "10" for 0.0.0.10; an operator who writes that means something else.
    internal static IPAddress? V4(string text) =>
        text.Count(c => c == '.') == 3 && IPAddress.TryParse(text, out var address) && address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork
            ? address
            : null;

    private static MacAddress? Mac(string text) => MacAddress.TryParse(text, null, out var mac) ? mac : null;

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
