using System.Globalization;

namespace Slipway.Iscsi.Text;

/// <summary>The operational keys of RFC 7143 §13, each with its rule.</summary>
internal static class NegotiationTable
{
    public const string Crc32C = "CRC32C";

    private static readonly Dictionary<string, KeyRow> ByName = new KeyRow[]
    {
        new(Keys.HeaderDigest, KeyRule.List, KeyUse.Operational, Digests, (p, v) => p.HeaderDigest = v == Crc32C),
        new(Keys.DataDigest, KeyRule.List, KeyUse.Operational, Digests, (p, v) => p.DataDigest = v == Crc32C),
        new(Keys.MaxConnections, KeyRule.Minimum, KeyUse.Operational, o => Text(o.MaxConnections), (p, v) => p.MaxConnections = Int(v), 1, 65535) { NormalOnly = true, LeadingOnly = true },
        new(Keys.InitialR2T, KeyRule.Or, KeyUse.Operational, o => TextValues.Boolean(o.InitialR2T), (p, v) => p.InitialR2T = v == TextValues.Yes) { NormalOnly = true, LeadingOnly = true },
        new(Keys.ImmediateData, KeyRule.And, KeyUse.Operational, o => TextValues.Boolean(o.ImmediateData), (p, v) => p.ImmediateData = v == TextValues.Yes) { NormalOnly = true, LeadingOnly = true },
        new(Keys.MaxRecvDataSegmentLength, KeyRule.Declared, KeyUse.Everywhere, o => Text(o.MaxRecvDataSegmentLength), (p, v) => p.PeerMaxRecvDataSegmentLength = Int(v), 512, OperationalParameters.LargestSegment),
        new(Keys.MaxBurstLength, KeyRule.Minimum, KeyUse.Operational, o => Text(o.MaxBurstLength), (p, v) => p.MaxBurstLength = Int(v), 512, OperationalParameters.LargestSegment) { NormalOnly = true, LeadingOnly = true },
        new(Keys.FirstBurstLength, KeyRule.Minimum, KeyUse.Operational, o => Text(o.FirstBurstLength), (p, v) => p.FirstBurstLength = Int(v), 512, OperationalParameters.LargestSegment) { NormalOnly = true, LeadingOnly = true },
        new(Keys.DefaultTime2Wait, KeyRule.Maximum, KeyUse.Operational, o => Text(o.DefaultTime2Wait), (p, v) => p.DefaultTime2Wait = Int(v), 0, 3600) { LeadingOnly = true },
        new(Keys.DefaultTime2Retain, KeyRule.Minimum, KeyUse.Operational, o => Text(o.DefaultTime2Retain), (p, v) => p.DefaultTime2Retain = Int(v), 0, 3600) { LeadingOnly = true },
        new(Keys.MaxOutstandingR2T, KeyRule.Minimum, KeyUse.Operational, o => Text(o.MaxOutstandingR2T), (p, v) => p.MaxOutstandingR2T = Int(v), 1, 65535) { NormalOnly = true, LeadingOnly = true },
        new(Keys.DataPduInOrder, KeyRule.Or, KeyUse.Operational, _ => TextValues.Yes, (p, v) => p.DataPduInOrder = v == TextValues.Yes) { NormalOnly = true, LeadingOnly = true },
        new(Keys.DataSequenceInOrder, KeyRule.Or, KeyUse.Operational, _ => TextValues.Yes, (p, v) => p.DataSequenceInOrder = v == TextValues.Yes) { NormalOnly = true, LeadingOnly = true },
        new(Keys.ErrorRecoveryLevel, KeyRule.Minimum, KeyUse.Operational, o => Text(o.ErrorRecoveryLevel), (p, v) => p.ErrorRecoveryLevel = Int(v), 0, 2) { LeadingOnly = true },
        new(Keys.TaskReporting, KeyRule.List, KeyUse.Operational, _ => "RFC3720", Nothing) { NormalOnly = true, LeadingOnly = true },
        new(Keys.ProtocolLevel, KeyRule.Minimum, KeyUse.Operational, _ => "1", (p, v) => p.ProtocolLevel = Int(v), 0, 31) { NormalOnly = true, LeadingOnly = true },
        // The login takes the first of these out itself, and SendTargets is a request; in another place they are wrong.
        new(Keys.InitiatorName, KeyRule.Declared, KeyUse.Login, _ => "", Nothing),
        new(Keys.TargetName, KeyRule.Declared, KeyUse.Login, _ => "", Nothing),
        new(Keys.SessionType, KeyRule.Declared, KeyUse.Login, _ => "", Nothing),
        new(Keys.AuthMethod, KeyRule.Declared, KeyUse.Security, _ => "", Nothing),
        new(Keys.SendTargets, KeyRule.Declared, KeyUse.FullFeature, _ => "", Nothing),
        new(Keys.TargetAlias, KeyRule.TargetsOwn, KeyUse.Everywhere, _ => "", Nothing),
        new(Keys.TargetAddress, KeyRule.TargetsOwn, KeyUse.Everywhere, _ => "", Nothing),
        new(Keys.TargetPortalGroupTag, KeyRule.TargetsOwn, KeyUse.Everywhere, _ => "", Nothing),
        new(Keys.InitiatorAlias, KeyRule.Declared, KeyUse.Everywhere, _ => "", Nothing),
        new(Keys.NodeArchitecture, KeyRule.Declared, KeyUse.Everywhere, _ => "", Nothing),
        new(Keys.InitiatorMarkers, KeyRule.Constant, KeyUse.Operational, _ => TextValues.No, Nothing),
        new(Keys.TargetMarkers, KeyRule.Constant, KeyUse.Operational, _ => TextValues.No, Nothing),
        new(Keys.InitiatorMarkerInterval, KeyRule.Constant, KeyUse.Operational, _ => TextValues.Reject, Nothing),
        new(Keys.TargetMarkerInterval, KeyRule.Constant, KeyUse.Operational, _ => TextValues.Reject, Nothing),
    }.ToDictionary(r => r.Key);

    public static KeyRow? Find(string key) => ByName.GetValueOrDefault(key);

    private static string Digests(NegotiationOffer offer) => offer.AllowDigests ? "None,CRC32C" : TextValues.None;

    private static string Text(int value) => TextValues.Number((uint)value);

    private static int Int(string value) => int.Parse(value, CultureInfo.InvariantCulture);

    private static void Nothing(OperationalParameters parameters, string value)
    {
    }
}
