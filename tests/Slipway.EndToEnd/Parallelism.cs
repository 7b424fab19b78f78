// A machine under emulation takes one core, and the tests' machine has two.
[assembly: Xunit.v3.Parallelization(MaxThreads = 2)]
