using System.Globalization;

namespace Slipway.Ipxe.Scripts;

/// <summary>
/// The script that boot media carry as <c>autoexec.ipxe</c>: get an address, then fetch this machine's own script over
/// HTTPS. It never prompts, since under U-Boot nothing wakes a sleeping prompt; a failure is told, and ends in a restart.
/// </summary>
public static class FirstStageScript
{
    /// <summary>The path under the server where machines find their script.</summary>
    public const string Path = "boot/";

    /// <summary>Set by a script that ends because the machine is to boot what is in it.</summary>
    public const string LocalSetting = "slipway-local";

    /// <param name="server">The HTTPS server's root, <c>https://10.1.2.3/</c>.</param>
    /// <param name="attempts">How many times DHCP is tried (iPXE itself waits about 10 s on each).</param>
    /// <param name="identity">By what the machine proves who it is; null: by its address.</param>
    public static IpxeScript Create(Uri server, int attempts = 5, int rebootAfterSeconds = 30, ClientIdentity? identity = null)
    {
        if (!server.IsAbsoluteUri || server.Scheme is not ("https" or "http"))
            throw new ArgumentException($"'{server}' is not an https:// address of a Slipway server", nameof(server));
        var root = server.AbsoluteUri.EndsWith('/') ? server.AbsoluteUri : server.AbsoluteUri + "/";
        var last = attempts.ToString(CultureInfo.InvariantCulture);
        var script = new IpxeScript().Comment($"Slipway: asks {root} what to boot.");
        if (identity is not null)
        {
            // Settings of a stock iPXE (crypto/certstore.c, crypto/privkey.c); a build with CERT= and PRIVKEY= has its own.
            script.Comment($"This is {identity.Name}: whoever has this file can be it.").Set("cert", identity.Certificate).Set("privkey", identity.Key);
        }
        return script
            .Set("attempt", 1)
            .Label("address")
            .Echo("Slipway: asking for an address (attempt " + IpxeScript.Setting("attempt") + $" of {last})")
            .Dhcp(onFailure: "no_address")
            .Chain(IpxeText.Plain(root + Path) + IpxeScript.Setting("mac", "hexhyp"), onFailure: "ended")
            .Label("local")
            .Comment("UEFI goes on to its next boot entry after a program that failed, and opens its setup after one that did not.")
            .Exit(1)
            .Label("ended")
            .GotoIfSet(LocalSetting, "local")
            .Goto("no_script")
            .Label("no_address")
            .GotoIfEqual(IpxeScript.Setting("attempt"), last, "give_up_address")
            .Increment("attempt")
            .Sleep(2)
            .Goto("address")
            .Label("give_up_address")
            .Echo("Slipway: no DHCP server gave this machine an address (" + IpxeScript.Setting("mac") + "). Is the cable in, and the VLAN right?")
            .Goto("again")
            .Label("no_script")
            .Echo($"Slipway: {root} gave this machine (" + IpxeScript.Setting("mac") + ") no script that boots.")
            .Echo("\"Permission denied\" above: this iPXE does not trust the server's certificate, or the clock is wrong.")
            .Label("again")
            .Echo($"Slipway: restarting in {rebootAfterSeconds} seconds")
            .Sleep(rebootAfterSeconds)
            .Reboot()
            .Exit(1);
    }
}
