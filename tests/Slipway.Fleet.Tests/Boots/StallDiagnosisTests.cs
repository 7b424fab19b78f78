using Slipway.Fleet.Boots;
using Slipway.Fleet.Machines;

namespace Slipway.Fleet.Tests.Boots;

public class StallDiagnosisTests
{
    public static TheoryData<BootStage> Stages => [.. Enum.GetValues<BootStage>()];

    [Theory]
    [MemberData(nameof(Stages))]
    public void Every_stage_has_a_cause_of_its_own_and_a_name(BootStage stage)
    {
        var causes = Enum.GetValues<BootStage>().Select(s => StallDiagnosis.LikelyCause(At(s))).ToList();
        Assert.Single(causes, StallDiagnosis.LikelyCause(At(stage)));
        Assert.Matches("^[a-z-]+$", stage.Name());
    }

    [Fact]
    public void Stages_are_called_as_the_documents_call_them() => Assert.Equal(
        ["dhcp", "tftp", "script", "san-login", "partition", "loader", "kernel", "os-login", "root", "up"],
        Enum.GetValues<BootStage>().Select(s => s.Name()));

    [Fact]
    public void Patience_is_short_after_a_refusal_and_long_while_a_kernel_unpacks()
    {
        var refused = At(BootStage.Kernel) with
        {
            Refusal = new BootEvent("", "", default, default, default, BootStage.Kernel, BootEventKind.Refused, "no", new Dictionary<string, string>()),
        };
        Assert.True(StallDiagnosis.Patience(refused) < StallDiagnosis.Patience(At(BootStage.Script)));
        Assert.True(StallDiagnosis.Patience(At(BootStage.Script)) < StallDiagnosis.Patience(At(BootStage.Kernel)));
    }

    private static Boot At(BootStage stage)
    {
        var timelines = new BootTimelines(new StoppedClock());
        var mac = MacAddress.Parse("52:54:00:77:00:01");
        timelines.Observe(mac, "node-1", stage, "seen");
        return timelines.Of(mac)!;
    }
}
