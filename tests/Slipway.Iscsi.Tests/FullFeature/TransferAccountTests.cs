using Slipway.Iscsi.Target.FullFeature;

namespace Slipway.Iscsi.Tests.FullFeature;

public sealed class TransferAccountTests
{
    [Fact]
    public void One_command_always_fits_and_others_wait_until_it_has_ended()
    {
        var (first, second) = (new TargetTask(), new TargetTask());
        var account = new TransferAccount(100);
        Assert.True(account.TryCharge(first, 80));
        Assert.False(account.TryCharge(second, 40));
        // It reads as well as it writes, and waits for nobody.
        Assert.True(account.TryCharge(first, 160));
        Assert.False(account.TryCharge(second, 1));
        account.Discharge(first);
        Assert.True(account.TryCharge(second, 40));
        Assert.True(account.TryCharge(first, 60));
    }
}
