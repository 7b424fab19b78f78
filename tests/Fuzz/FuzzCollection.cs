namespace Slipway.Tests.Fuzz;

/// <summary>One after the other: each looks at the memory of the process, and the rest of the tests needs a core too.</summary>
[CollectionDefinition("Fuzz", DisableParallelization = true)]
public sealed class FuzzCollection;
