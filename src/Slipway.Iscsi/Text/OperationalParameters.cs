namespace Slipway.Iscsi.Text;

/// <summary>What two sides agreed on; before that, the defaults of RFC 7143 §13.</summary>
public sealed class OperationalParameters
{
    public const int DefaultMaxRecvDataSegmentLength = 8192;
    public const int LargestSegment = (1 << 24) - 1;

    public bool HeaderDigest { get; set; }

    public bool DataDigest { get; set; }

    public int MaxConnections { get; set; } = 1;

    public bool InitialR2T { get; set; } = true;

    public bool ImmediateData { get; set; } = true;

    /// <summary>What the other side takes in one data segment (declarative, §13.12).</summary>
    public int PeerMaxRecvDataSegmentLength { get; set; } = DefaultMaxRecvDataSegmentLength;

    public int MaxBurstLength { get; set; } = 262144;

    public int FirstBurstLength { get; set; } = 65536;

    public int DefaultTime2Wait { get; set; } = 2;

    public int DefaultTime2Retain { get; set; } = 20;

    public int MaxOutstandingR2T { get; set; } = 1;

    public bool DataPduInOrder { get; set; } = true;

    public bool DataSequenceInOrder { get; set; } = true;

    public int ErrorRecoveryLevel { get; set; }

    public int ProtocolLevel { get; set; } = 1;

    /// <summary>Takes over what was agreed on for a whole session; digests and segment lengths are a connection's own.</summary>
    internal void Join(OperationalParameters session)
    {
        MaxConnections = session.MaxConnections;
        InitialR2T = session.InitialR2T;
        ImmediateData = session.ImmediateData;
        MaxBurstLength = session.MaxBurstLength;
        FirstBurstLength = session.FirstBurstLength;
        DefaultTime2Wait = session.DefaultTime2Wait;
        DefaultTime2Retain = session.DefaultTime2Retain;
        MaxOutstandingR2T = session.MaxOutstandingR2T;
        DataPduInOrder = session.DataPduInOrder;
        DataSequenceInOrder = session.DataSequenceInOrder;
        ErrorRecoveryLevel = session.ErrorRecoveryLevel;
        ProtocolLevel = session.ProtocolLevel;
    }
}
