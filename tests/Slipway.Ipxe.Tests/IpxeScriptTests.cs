using CsCheck;
using Slipway.Ipxe.Scripts;

namespace Slipway.Ipxe.Tests;

public class IpxeScriptTests
{
    [Fact]
    public void Commands_are_written_as_iPXE_reads_them()
    {
        var script = new IpxeScript()
            .Dhcp("net0", onFailure: "fail")
            .Set("initiator-iqn", "iqn.2026-01.test:web01")
            .Set("password", "two words")
            .Set("username", "")
            .Set("tries", 3)
            .Echo("Hello " + IpxeScript.Setting("net0/ip"))
            .Chain("https://10.0.0.1/boot/" + IpxeScript.Setting("mac", "hexhyp"), replace: true, onFailure: "fail")
            .SanBoot(["iscsi:10.0.0.1:::1:iqn.2026-01.test:disk"], new(Drive: 0x80, NoDescribe: true), onFailure: "fail")
            .GotoIfEqual(IpxeScript.Setting("platform"), "efi", "fail")
            .Label("fail").Sleep(3).PowerOff().Exit(1);
        Assert.Equal("""
            #!ipxe
            dhcp net0 || goto fail
            set initiator-iqn iqn.2026-01.test:web01
            set password:hex 74:77:6f:20:77:6f:72:64:73
            clear username
            set tries:int32 3
            echo Hello ${net0/ip}
            chain --replace https://10.0.0.1/boot/${mac:hexhyp} || goto fail
            sanboot --no-describe --drive 0x80 iscsi:10.0.0.1:::1:iqn.2026-01.test:disk || goto fail
            iseq ${platform} efi && goto fail ||
            :fail
            sleep 3
            poweroff
            exit 1

            """, script.ToString());
    }

    [Theory]
    [InlineData("https://host/a b")]
    [InlineData("x ${password}")]
    [InlineData("#x")]
    [InlineData("a\nshell")]
    [InlineData("--option")]
    public void What_would_be_syntax_in_an_address_is_refused(string uri) => Assert.Throws<ArgumentException>(() => new IpxeScript().Chain(uri));

    [Theory]
    [InlineData("a || shell")]
    [InlineData("a && shell")]
    [InlineData("a ; shell")]
    [InlineData("${password}")]
    public void What_would_be_syntax_in_a_message_is_refused(string text) => Assert.Throws<ArgumentException>(() => new IpxeScript().Echo(text));

    [Fact]
    public void A_value_of_any_text_stays_one_value() => Gen.String.Sample(value =>
    {
        var line = new IpxeScript().Set("x", value).ToString().Split('\n')[1];
        var words = line.Split(' ');
        // Three words and no terminator: nothing that the shell could take for a second command.
        if (value.Length == 0) Assert.Equal("clear x", line);
        else Assert.True(words.Length == 3 && !line.Contains("${", StringComparison.Ordinal) && words[2][0] != '#' && words[2] is not ("||" or "&&" or ";"), line);
    });

    [Fact]
    public void The_first_stage_asks_by_MAC_and_never_prompts()
    {
        var script = FirstStageScript.Create(new("https://10.0.0.1:8443")).ToString();
        Assert.Contains("chain https://10.0.0.1:8443/boot/${mac:hexhyp} || goto ended\n", script, StringComparison.Ordinal);
        Assert.DoesNotContain("prompt", script, StringComparison.Ordinal);
        Assert.DoesNotContain("shell", script, StringComparison.Ordinal);
    }

    [Fact]
    public void A_first_stage_needs_a_web_address() => Assert.Throws<ArgumentException>(() => FirstStageScript.Create(new("ftp://10.0.0.1/")));

    [Fact]
    public void A_first_stage_of_one_machine_sets_its_certificate_and_key_before_it_asks()
    {
        var lines = FirstStageScript.Create(new("https://10.0.0.1"), identity: new("node-1", [0x30, 0x82], [0x30, 0x0A])).ToString().Split('\n');
        var certificate = Array.IndexOf(lines, "set cert:hex 30:82");
        Assert.True(certificate > 0);
        Assert.Equal("set privkey:hex 30:0a", lines[certificate + 1]);
        Assert.True(Array.IndexOf(lines, ":address") > certificate);
    }
}
