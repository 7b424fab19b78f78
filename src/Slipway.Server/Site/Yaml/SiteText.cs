using Slipway.Fleet.Machines;
using Slipway.Fleet.Profiles;
using YamlDotNet.RepresentationModel;

namespace Slipway.Server.Site.Yaml;

/// <summary>The file that a site was read from: what it says is what an export says, to the comment.</summary>
/// <param name="Path">Absolute.</param>
public sealed record SiteText(string Path, string Content)
{
    /// <summary>The whole site as one file: with the machines that were approved beside it, it is written anew.</summary>
    internal string With(IReadOnlyList<RegisteredMachine> approved)
    {
        if (approved.Count == 0)
            return Content;
        var root = (YamlMappingNode)SiteFile.RootOf(new StringReader(Content), Path);
        var key = new YamlScalarNode("machines");
        if (!root.Children.TryGetValue(key, out var node) || node is not YamlSequenceNode machines)
            root.Children[key] = machines = new YamlSequenceNode();
        foreach (var machine in approved)
            machines.Add(NodeOf(machine));
        using var text = new StringWriter();
        new YamlStream(new YamlDocument(root)).Save(text, assignAnchors: false);
        // The emitter ends a document with its mark, which a file of one does not need.
        return text.ToString().ReplaceLineEndings("\n").Replace("\n...\n", "\n", StringComparison.Ordinal);
    }

    private static YamlMappingNode NodeOf(RegisteredMachine machine)
    {
        var node = new YamlMappingNode { { "name", machine.Name }, { "mac", machine.Mac.ToString() }, { "volume", machine.Volume } };
        if (machine.Profile != BootProfiles.Default)
            node.Add("profile", machine.Profile);
        if (machine.Firmware != MachineFirmware.Detect)
            node.Add("firmware", machine.Firmware.Name());
        if (machine.Address is { } address)
            node.Add("address", address.ToString());
        return node;
    }
}
