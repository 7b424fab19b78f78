using System.Globalization;
using Slipway.Fleet.Boots;
using Slipway.Iscsi.Target;
using Slipway.Server.Disks;
using Slipway.Server.Machines;

namespace Slipway.Server.Timeline;

/// <summary>What logins tell about a boot: first iPXE's, then the operating system's own.</summary>
internal sealed class IscsiEvidence(BootTimelines timelines, MachineTargets targets, MachineDirectory machines) : ITargetObserver
{
    public void Observe(TargetEvent e)
    {
        var disk = targets.Find(e.Facts);
        if ((disk?.Machine.Mac ?? machines.At(e.Facts.Remote.Address)) is not { } mac || e.Facts.SessionType != SessionType.Normal)
            return;
        var name = machines.NameOf(mac);
        var isFirmware = e.Facts.IsIpxe || (e is not Closed && timelines.Of(mac) is null or { Stage: < BootStage.Partition });
        var stage = isFirmware ? BootStage.SanLogin : BootStage.OsLogin;
        var facts = new Dictionary<string, string>
        {
            ["initiator"] = e.Facts.InitiatorName,
            ["target"] = e.Facts.TargetName ?? "",
            ["from"] = e.Facts.Remote.ToString(),
        };
        switch (e)
        {
            case LoggedIn { Session: var session }:
                facts["chap"] = session.Algorithm?.ToString() ?? "none";
                facts["mutual"] = session.Mutual ? "yes" : "no";
                if (!isFirmware)
                    disk?.Evidence.OsLoggedIn();
                timelines.Observe(mac, name, stage,
                    $"{(isFirmware ? "iPXE" : "the operating system")} is logged in{Chap(session)} as {e.Facts.InitiatorName}", facts);
                break;
            case Refused { Kind: RefusalKind.Redirected } redirected:
                timelines.Observe(mac, name, stage, $"{(isFirmware ? "iPXE" : "the operating system")} was {redirected.Reason}", facts);
                break;
            case Refused refused:
                facts["status"] = ((ushort)refused.Status).ToString("x4", CultureInfo.InvariantCulture);
                facts["refusal"] = refused.Kind.ToString();
                timelines.Refuse(mac, name, stage, refused.Reason + PageOf(refused.Kind), facts);
                break;
            // The end of a session of an earlier run is no evidence about this one.
            case Closed closed when timelines.Of(mac) is { } boot && boot.Entered.ContainsKey(stage):
                facts["bytesRead"] = closed.BytesRead.ToString(CultureInfo.InvariantCulture);
                facts["bytesWritten"] = closed.BytesWritten.ToString(CultureInfo.InvariantCulture);
                // iPXE never logs out: the operating system's network answers for it when the machine is no longer iPXE's.
                var reason = isFirmware && boot.Entered.ContainsKey(BootStage.OsLogin) ? "the operating system has the machine" : closed.Reason;
                facts["reason"] = closed.Reason;
                timelines.Observe(mac, name, stage,
                    $"{(isFirmware ? "iPXE" : "the operating system")} ended its session ({reason}): {Size(closed.BytesRead)} read, {Size(closed.BytesWritten)} written", facts);
                break;
        }
    }

    private static string PageOf(RefusalKind kind) => kind is RefusalKind.ChapRequired or RefusalKind.WrongName or RefusalKind.WrongSecret or RefusalKind.ReverseRefused
        ? " (slipway explain SLP1005)"
        : "";

    private static string Chap(SessionFacts session) =>
        session.Algorithm is { } algorithm ? $" with {(session.Mutual ? "mutual " : "")}CHAP {algorithm.ToString().ToUpperInvariant().Replace('_', '-')}" : "";

    private static string Size(long bytes) => bytes < 1 << 20
        ? string.Create(CultureInfo.InvariantCulture, $"{(bytes + 1023) >> 10} KiB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.0} MiB");
}
