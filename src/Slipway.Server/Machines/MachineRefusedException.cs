namespace Slipway.Server.Machines;

/// <summary>What an operator asked of the machines cannot be done, and nothing was. The message says why, and what would be right.</summary>
public sealed class MachineRefusedException : Exception
{
    public MachineRefusedException(string message)
        : base(message)
    {
    }

    public MachineRefusedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public MachineRefusedException()
    {
    }
}
