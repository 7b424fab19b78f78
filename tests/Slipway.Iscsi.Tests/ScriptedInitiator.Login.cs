using System.Text;
using Slipway.Iscsi.Pdu;

namespace Slipway.Iscsi.Tests;

internal sealed partial class ScriptedInitiator
{
    public const ulong DefaultIsid = 0x4000_0137_0001;
    public const string Names = $"InitiatorName={Site.Initiator} TargetName={Site.Target} SessionType=Normal";

    private ulong _isid = DefaultIsid;

    public ushort Tsih { get; set; }

    public ushort Cid { get; set; } = 1;

    public ScriptedInitiator WithIsid(ulong isid)
    {
        _isid = isid;
        return this;
    }

    /// <summary>A login request in <paramref name="stage"/>, with T where <paramref name="next"/> is not null.</summary>
    /// <param name="keys">key=value pairs divided by blanks.</param>
    public ScriptedInitiator SaysLogin(LoginStage stage, LoginStage? next, string keys, bool more = false, Action<byte[]>? with = null) =>
        SaysLogin(stage, next, Pairs(keys), more, with);

    public ScriptedInitiator SaysLogin(LoginStage stage, LoginStage? next, byte[] text, bool more = false, Action<byte[]>? with = null)
    {
        var bytes = new byte[PduHeader.Size];
        var request = LoginRequestPdu.Begin(bytes);
        bytes[0] |= Immediate;
        request.CurrentStage = stage;
        request.NextStage = next ?? LoginStage.SecurityNegotiation;
        request.Transit = next is not null;
        request.Continue = more;
        request.Isid = _isid;
        request.Tsih = Tsih;
        request.Cid = Cid;
        request.CmdSN = CmdSN;
        request.InitiatorTaskTag = 1;
        with?.Invoke(bytes);
        return Says(bytes, text);
    }

    /// <summary>A successful response with exactly these keys; <paramref name="next"/> null: T is 0.</summary>
    public ScriptedInitiator HearsLogin(LoginStage stage, LoginStage? next, string keys)
    {
        var reply = Next(Opcode.LoginResponse);
        var response = new LoginResponsePdu(reply.Bytes);
        Assert.Equal(LoginStatus.Success, response.Status);
        Assert.Equal(keys, reply.Text);
        Assert.Equal(stage, response.CurrentStage);
        Assert.Equal(next is not null, response.Transit);
        Assert.Equal(next ?? LoginStage.SecurityNegotiation, response.NextStage);
        Assert.Equal(_isid, response.Isid);
        Assert.Equal(1u, response.InitiatorTaskTag);
        if (next == LoginStage.FullFeaturePhase)
            Assert.NotEqual(0, Tsih = response.Tsih);
        return this;
    }

    /// <summary>The login is refused with this status, and then the connection closed for a reason that says this.</summary>
    public ScriptedInitiator HearsRefusal(LoginStatus status, string because)
    {
        var reply = Next(Opcode.LoginResponse);
        Assert.Equal(status, new LoginResponsePdu(reply.Bytes).Status);
        return HearsNothing().IsClosed(because);
    }

    /// <summary>Straight into the full feature phase of a normal session, without security.</summary>
    public ScriptedInitiator LogsIn(string keys = "")
    {
        SaysLogin(LoginStage.OperationalNegotiation, LoginStage.FullFeaturePhase, $"{Names} {keys}");
        return Enters();
    }

    /// <summary>Asks to be another connection of a session, whose CmdSN it goes on with.</summary>
    public ScriptedInitiator SaysJoin(ScriptedInitiator leading, ushort cid, string keys = "")
    {
        (Tsih, Cid, CmdSN, _isid) = (leading.Tsih, cid, leading.CmdSN, leading._isid);
        return SaysLogin(LoginStage.OperationalNegotiation, LoginStage.FullFeaturePhase, $"{Names} {keys}");
    }

    /// <summary>Another connection of a session.</summary>
    public ScriptedInitiator Joins(ScriptedInitiator leading, ushort cid, string keys = "") => SaysJoin(leading, cid, keys).Enters();

    /// <summary>A discovery session without security.</summary>
    public ScriptedInitiator Discovers(string keys = "")
    {
        SaysLogin(LoginStage.OperationalNegotiation, LoginStage.FullFeaturePhase, $"InitiatorName={Site.Initiator} SessionType=Discovery {keys}");
        return Enters();
    }

    /// <summary>The last login response, after which the digests count.</summary>
    public ScriptedInitiator Enters()
    {
        var reply = Next(Opcode.LoginResponse);
        var response = new LoginResponsePdu(reply.Bytes);
        Assert.True(response.Status == LoginStatus.Success, $"{response.Status}: {Connection.EndReason}");
        Assert.True(response is { Transit: true, NextStage: LoginStage.FullFeaturePhase });
        Tsih = response.Tsih;
        HeaderDigest = reply.Key("HeaderDigest") == "CRC32C";
        DataDigest = reply.Key("DataDigest") == "CRC32C";
        return this;
    }

    public static byte[] Pairs(string keys) =>
        Encoding.UTF8.GetBytes(string.Concat(keys.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(k => k + '\0')));
}
