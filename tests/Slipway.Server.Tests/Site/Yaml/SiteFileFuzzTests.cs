using System.Text;
using Slipway.Server.Site;
using Slipway.Server.Site.Yaml;
using Slipway.Tests.Fuzz;

namespace Slipway.Server.Tests.Site.Yaml;

/// <summary>Any text: a site, or a sentence that says in which line it is wrong.</summary>
[Collection("Fuzz")]
public class SiteFileFuzzTests
{
    private const int Executions = 20_000;

    private static readonly byte[][] Seeds =
    [
        .. new[]
        {
            """
            name: lab
            networks:
              - { name: boot, interface: eth1, address: 10.77.0.1/24, pool: [10.77.0.100-10.77.0.200], exclude: [10.77.0.150], mtu: 1500 }
            machines:
              - { name: node-1, mac: "52:54:00:77:00:01", volume: node-1.raw, firmware: uboot, address: 10.77.0.11 }
            """,
            """
            state: &s /srv/state
            networks:
              - name: far
                interface: eth2
                address: 10.78.0.1/24
                mode: proxy
                lease-time: 30m
                routes: [10.17.0.0/16 via 10.78.0.2]
                reservations:
                  - { address: 10.78.0.12, circuit-id: 0x00ff, remote-id: "x", host-name: a }
                  - { address: 10.78.0.13, uuid: 0f0e0d0c-0b0a-0908-0706-050403020100 }
                relays:
                  - { name: hall, subnet: 10.79.0.0/24, pool: 10.79.0.9-10.79.0.10 }
            """,
            """
            profiles:
              - { name: kernel, kind: direct, kernel: /vmlinuz, initrd: [/initrd.img, /b], arguments: quiet }
              - { name: choice, kind: menu, entries: [sanboot, kernel, own], default: kernel, timeout: 90s, title: What }
              - name: own
                kind: script
                script: |
                  #!ipxe
                  sanboot ${slipway-disk} || goto failed
                  :failed
                  shell
            approve:
              - { network: boot, image: debian-12@3, policy: reset, profile: choice, name: "node-{mac}" }
            """,
            "machines:\n  - name: n\n    mac: 525400770002\n    volume: v\n    faults: [read error every 5]\n? [a, b]\n: *s\n--- !!str x\n",
        }.Select(Encoding.UTF8.GetBytes),
    ];

    [Fact]
    public async Task Any_text_is_a_site_or_a_sentence_with_its_line()
    {
        var mutator = new Mutator(14);
        var input = new byte[2048];
        var read = 0;
        await FuzzRun.ExecuteAsync(Executions, i =>
        {
            var length = mutator.Mutate(Seeds[i % Seeds.Length], Seeds[mutator.Next(Seeds.Length)], input);
            var text = Encoding.UTF8.GetString(input, 0, length);
            try
            {
                SiteNetworks.Of(SiteFile.Parse(new StringReader(text), "/etc/lab.yaml"));
                read++;
            }
            catch (SiteConfigurationException e)
            {
                // Two networks that contradict each other have no one line.
                if (!e.Message.Split('\n').All(line => line.StartsWith("/etc/lab.yaml:", StringComparison.Ordinal)) && !e.Message.StartsWith("network", StringComparison.Ordinal))
                    throw new InvalidOperationException($"'{e.Message}' for:\n{text}");
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"{e.Message} for:\n{text}", e);
            }
        });
        Assert.True(read > Executions / 200, $"only {read} were sites");
    }
}
