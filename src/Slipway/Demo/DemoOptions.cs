namespace Slipway.Demo;

/// <param name="Headless">Plain lines instead of a picture that is drawn anew.</param>
/// <param name="Keep">The machine and the server stay until interrupted.</param>
/// <param name="Folder">Where the run leaves its disk and its logs.</param>
internal sealed record DemoOptions(DemoFirmware Firmware, DemoBreak Break, bool Headless, bool Keep, string Folder);

/// <summary>What the demo does wrong on purpose, to show how a boot that fails looks.</summary>
internal enum DemoBreak
{
    Nothing,

    /// <summary>The machine's script has another secret than the target.</summary>
    WrongSecret,

    /// <summary>The machine expects another secret of the target than it has.</summary>
    WrongReverseSecret,

    /// <summary>The machine's iPXE trusts another certificate authority.</summary>
    UntrustedCa,

    /// <summary>The server has no such machine.</summary>
    UnknownMachine,
}
