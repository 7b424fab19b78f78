using System.Net;
using Slipway.Fleet.Credentials;
using Slipway.Fleet.Machines;
using Slipway.Server.Boot;
using Slipway.Server.Boot.Scripts;
using Slipway.Server.Site;

namespace Slipway.Server.Tests.Boot.Scripts;

public sealed class KernelArgumentsTests
{
    private static readonly MacAddress Card = MacAddress.Parse("52:54:00:77:00:01");

    [Fact]
    public void By_IPv6_iPXE_leaves_no_iBFT_and_the_arguments_say_the_machines_address_too()
    {
        var machine = new MachineSettings { Name = "node-1", Mac = Card, Volume = "v" };
        var facts = new ScriptFacts(machine, MachineFirmware.Ibft, IscsiNames.Of("lab", "node-1"), BootCredentials.Create("node-1"),
            (IPAddress.Parse("fd00:77::1000"), 64), [new(new(IPAddress.Parse("fd00:77::1"), 3260))], new Uri("https://[fd00:77::1]/"));
        var (names, secrets) = (facts.Names, facts.Credentials);
        Assert.Contains($"\nsanboot --no-describe iscsi:[fd00:77::1]::3260:0:{names.Target} || goto failed\n", ProfileScript.SanBoot(facts).ToString(), StringComparison.Ordinal);
        Assert.Contains(" ISCSI_TARGET_IP=fd00:77::1 ISCSI_TARGET_PORT=3260 ", facts.KernelArguments, StringComparison.Ordinal);
        Assert.EndsWith(
            $" slipway_up=https://[fd00:77::1]/boot/up rd.iscsi.initiator={names.Initiator}"
            + $" netroot=iscsi:{secrets.User}:{secrets.Secret}:{secrets.ReverseUser}:{secrets.ReverseSecret}@[fd00:77::1]::3260:0:{names.Target}"
            + " ifname=slipway:52:54:00:77:00:01 ip=[fd00:77::1000]:::64::slipway:none",
            facts.KernelArguments, StringComparison.Ordinal);
        Assert.Equal(1024, GrubEnvironment.Write(facts.KernelArguments).Length);
    }
}
