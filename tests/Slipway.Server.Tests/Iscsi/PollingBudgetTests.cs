using Slipway.Server.Iscsi.Epoll;

namespace Slipway.Server.Tests.Iscsi;

public sealed class PollingBudgetTests
{
    [Fact]
    public void It_polls_before_each_wait_while_it_finds_events()
    {
        var budget = new PollingBudget();
        for (var i = 0; i < 100; i++)
        {
            Assert.True(budget.ShouldPoll());
            budget.Polled(found: true);
        }
    }

    [Fact]
    public void Each_failure_skips_twice_as_many_waits_up_to_a_bound()
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
    public void One_success_forgets_all_failures()
    {
        var budget = new PollingBudget();
        budget.Polled(found: false);
        budget.Polled(found: false);
        budget.Polled(found: true);
        Assert.True(budget.ShouldPoll());
    }
}
