using System.Globalization;
using Slipway.Fleet.Boots;
using Slipway.Server.Machines;
using Slipway.Tftp.Server;

namespace Slipway.Server.Timeline;

/// <summary>What TFTP tells about a boot.</summary>
internal sealed class TftpEvidence(BootTimelines timelines, MachineDirectory machines) : ITftpObserver
{
    // iPXE looks for it beside itself before it does anything else; that it is not there is what this server wants.
    private const string Optional = "autoexec.ipxe";

    public void Observe(TftpEvent e)
    {
        if (e.Name == Optional || machines.At(e.Client.Address) is not { } mac)
            return;
        var name = machines.NameOf(mac);
        var facts = new Dictionary<string, string> { ["file"] = e.Name };
        switch (e.Kind)
        {
            // Firmware asks for the length first and for the file then: both begin alike.
            case TftpEventKind.Started when timelines.Of(mac)?.Events is [.., { Stage: BootStage.Tftp } last] && last.Facts.GetValueOrDefault("file") == e.Name:
            case TftpEventKind.Probed:
                break;
            case TftpEventKind.Started:
                timelines.Observe(mac, name, BootStage.Tftp, $"fetches {e.Name}", facts);
                break;
            case TftpEventKind.Done:
                facts["bytes"] = e.Bytes.ToString(CultureInfo.InvariantCulture);
                timelines.Observe(mac, name, BootStage.Tftp, $"has {e.Name}, {e.Bytes:N0} bytes in {e.Elapsed.TotalSeconds:0.0} s", facts);
                break;
            default:
                timelines.Refuse(mac, name, BootStage.Tftp, $"{e.Name}: {e.Reason}", facts);
                break;
        }
    }
}
