namespace Slipway.Iscsi.Target;

/// <summary>Who may log in to what. Called from several threads, and expected to answer from memory.</summary>
public interface ITargetDirectory
{
    /// <summary>Called once per login, when the initiator's name (and the target's, for a normal session) is known.</summary>
    Admission Admit(LoginFacts facts);

    /// <summary>The answer to SendTargets: only what this initiator may see.</summary>
    IReadOnlyList<TargetRecord> Discover(LoginFacts facts);
}
