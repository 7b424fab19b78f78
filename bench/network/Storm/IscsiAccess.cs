using System.Net;

namespace Slipway.Bench.Network.Storm;

/// <summary>What a script says about its machine's disk.</summary>
internal sealed record IscsiAccess(IPEndPoint Portal, string Target, string Initiator, string User, string Secret, string ReverseUser, string ReverseSecret)
{
    public static IscsiAccess Of(string script)
    {
        var lines = script.Split('\n', StringSplitOptions.TrimEntries);
        var sanBoot = lines.FirstOrDefault(l => l.StartsWith("sanboot ", StringComparison.Ordinal)) ?? throw new InvalidDataException($"no sanboot in {script}");
        // iscsi:ADDRESS::PORT:LUN:TARGET
        var path = sanBoot.Split(' ').First(w => w.StartsWith("iscsi:", StringComparison.Ordinal)).Split(':', 6);
        return new(
            IPEndPoint.Parse($"{path[1]}:{path[3]}"), path[5],
            Set("initiator-iqn"), Set("username"), Set("password"), Set("reverse-username"), Set("reverse-password"));

        string Set(string name) =>
            lines.FirstOrDefault(l => l.StartsWith($"set {name} ", StringComparison.Ordinal))?.Split(' ', 3)[2] ?? throw new InvalidDataException($"no {name} in {script}");
    }
}
