using Slipway.Server.Iscsi.Epoll;

namespace Slipway.Server.Tests.Iscsi;

public sealed class PollingBudgetTests
{
    [Fact]
    public void PollsBeforeEachWaitWhileItFindsEvents()
    {
        var budget = new PollingBudget();
        for (var i = 0; i < 100; i++)
        {
            Assert.True(budget.ShouldPoll());
            budget.Polled(found: true);
        }
    }

    [Fact]
    public void EachFailureSkipsTwiceAsManyWaitsUpToABound()
    {
        var budget = new PollingBudget();
        foreach (var skipped in new[] { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1024 })
        {
            Assert.True(budget.ShouldPoll());
            budget.Polled(found: false);
            for (var i = 0; i < skipped; i++)
                Assert.False(budget.ShouldPoll());
        }
    }

    [Fact]
    public void OneSuccessForgetsAllFailures()
    {
        var budget = new PollingBudget();
        budget.Polled(found: false);
        budget.Polled(found: false);
        budget.Polled(found: true);
        Assert.True(budget.ShouldPoll());
    }
}
