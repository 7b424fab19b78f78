using CsCheck;
using Slipway.Fleet.Boots;
using Slipway.Fleet.Machines;

namespace Slipway.Fleet.Tests.Boots;

public class BootTimelinesTests
{
    private static readonly MacAddress Mac = MacAddress.Parse("52:54:00:77:00:01");

    private readonly StoppedClock _clock = new();
    private readonly BootTimelines _timelines;
    private readonly List<BootEvent> _events = [];

    public BootTimelinesTests()
    {
        _timelines = new BootTimelines(_clock);
        _timelines.Recorded += _events.Add;
    }

    private Boot Boot => _timelines.Of(Mac)!;

    [Fact]
    public void First_evidence_enters_a_stage_and_more_is_a_fact_of_it()
    {
        Begin();
        _clock.Advance(TimeSpan.FromSeconds(2));
        See(BootStage.Script);
        See(BootStage.Script);

        Assert.Equal([BootEventKind.Entered, BootEventKind.Entered, BootEventKind.Fact], _events.Select(e => e.Kind));
        Assert.Equal(TimeSpan.FromSeconds(2), _events[2].Elapsed);
        Assert.Equal(BootStage.Script, Boot.Stage);
        Assert.Equal(BootOutcome.Running, Boot.Outcome);
    }

    [Fact]
    public void Invented_machines_are_bounded_and_push_out_no_known_one()
    {
        var timelines = new BootTimelines(_clock, limit: 3);
        timelines.Observe(Mac, "node-1", BootStage.Dhcp, "offered", starts: true);
        for (var i = 0; i < 10; i++)
        {
            var invented = MacAddress.Parse($"02:00:00:00:00:{i:x2}");
            timelines.Observe(invented, invented.ToString(), BootStage.Dhcp, "offered", starts: true);
        }
        Assert.Equal(["node-1", "02:00:00:00:00:07", "02:00:00:00:00:08", "02:00:00:00:00:09"], timelines.Current.Select(b => b.Machine).Order(StringComparer.Ordinal).OrderByDescending(m => m == "node-1"));
    }

    [Fact]
    public void Messages_are_events_between_the_others_and_move_nothing()
    {
        Assert.False(_timelines.Hear(Mac, "says: who am I", new Dictionary<string, string>()));
        Begin();
        Say("one");
        _clock.Advance(TimeSpan.FromSeconds(40));
        See(BootStage.Script);
        _clock.Advance(TimeSpan.FromSeconds(40));
        Say("two");
        Assert.Equal([BootEventKind.Entered, BootEventKind.Message, BootEventKind.Entered, BootEventKind.Message], _timelines.EventsOf(Mac).Select(e => e.Kind));
        Assert.Equal(BootStage.Script, _timelines.EventsOf(Mac)[^1].Stage);
        _clock.Advance(TimeSpan.FromSeconds(20));
        _timelines.MarkStalled();
        Assert.Equal(BootOutcome.Stalled, Boot.Outcome);
        Begin();
        Assert.Single(_timelines.EventsOf(Mac));
    }

    [Fact]
    public void Messages_are_bounded_for_one_machine_and_for_all()
    {
        var timelines = new BootTimelines(_clock, limit: 500);
        var macs = Enumerable.Range(0, 4).Select(i => MacAddress.Parse($"02:00:00:00:00:{i:x2}")).ToList();
        foreach (var mac in macs)
        {
            timelines.Observe(mac, $"node-{mac}", BootStage.Dhcp, "offered", starts: true);
            for (var i = 0; i < 1000; i++)
                timelines.Hear(mac, $"says: {i}", new Dictionary<string, string>());
        }
        Assert.Equal([0, 100, 200, 200], macs.Select(m => timelines.EventsOf(m).Count - 1));
        Assert.Equal("says: 999", timelines.EventsOf(macs[1])[^1].Text);
    }

    [Fact]
    public void A_stage_that_the_chain_skips_is_absent()
    {
        Begin();
        See(BootStage.Script);
        Assert.Equal([BootStage.Dhcp, BootStage.Script], Boot.Entered.Keys);
    }

    [Fact]
    public void Firmware_and_iPXE_asking_one_after_the_other_are_one_run()
    {
        Begin();
        See(BootStage.Tftp);
        Begin();
        See(BootStage.Script);
        Begin();
        Assert.Single(_events.Select(e => e.BootId).Distinct());
    }

    [Theory]
    [InlineData(BootStage.SanLogin)]
    [InlineData(BootStage.Root)]
    [InlineData(BootStage.Up)]
    public void A_machine_that_asks_again_past_its_disk_was_reset(BootStage reached)
    {
        Begin();
        See(reached);
        Begin();
        Assert.Equal(2, _events.Select(e => e.BootId).Distinct().Count());
        Assert.Equal(BootStage.Dhcp, Boot.Stage);
    }

    [Fact]
    public void A_stalled_run_is_over_when_the_machine_asks_again()
    {
        Begin();
        _clock.Advance(TimeSpan.FromMinutes(2));
        _timelines.MarkStalled();
        Assert.Equal(BootOutcome.Stalled, Boot.Outcome);
        Begin();
        Assert.Equal(BootOutcome.Running, Boot.Outcome);
        Assert.Equal(2, _events.Select(e => e.BootId).Distinct().Count());
    }

    [Fact]
    public void A_machine_that_boots_what_is_in_it_does_not_stall_and_its_next_boot_is_another_run()
    {
        Begin();
        _timelines.Observe(Mac, "node-1", BootStage.SanLogin, "its own script tried the disk");
        _timelines.Leave(Mac, "node-1", BootStage.Script, "boots what is in it");
        _clock.Advance(TimeSpan.FromMinutes(10));
        _timelines.MarkStalled();
        Assert.Equal(BootOutcome.Local, Boot.Outcome);
        Begin();
        Assert.Equal(BootOutcome.Running, Boot.Outcome);
        Assert.Equal(2, _events.Select(e => e.BootId).Distinct().Count());
    }

    [Fact]
    public void A_refusal_enters_its_stage_and_is_the_cause_of_the_stall()
    {
        Begin();
        _timelines.Refuse(Mac, "node-1", BootStage.SanLogin, "the secret is wrong");
        Assert.Equal(BootStage.SanLogin, Boot.Stage);
        _clock.Advance(TimeSpan.FromSeconds(14));
        _timelines.MarkStalled();
        Assert.Equal(BootOutcome.Running, Boot.Outcome);
        _clock.Advance(TimeSpan.FromSeconds(1));
        _timelines.MarkStalled();

        Assert.Equal(BootOutcome.Stalled, Boot.Outcome);
        Assert.Equal(("the secret is wrong", BootStage.SanLogin), (_events[^1].Text, _events[^1].Stage));
    }

    [Fact]
    public void A_refusal_that_the_machine_got_past_is_forgotten()
    {
        Begin();
        _timelines.Refuse(Mac, "node-1", BootStage.Script, "no");
        See(BootStage.SanLogin);
        Assert.Null(Boot.Refusal);
        _clock.Advance(TimeSpan.FromSeconds(20));
        _timelines.MarkStalled();
        Assert.Equal(BootOutcome.Running, Boot.Outcome);
    }

    [Fact]
    public void A_stall_is_told_once_and_progress_ends_it()
    {
        Begin();
        _clock.Advance(TimeSpan.FromMinutes(2));
        _timelines.MarkStalled();
        _timelines.MarkStalled();
        Assert.Single(_events, e => e.Kind == BootEventKind.Stalled);
        See(BootStage.Script);
        Assert.Equal(BootOutcome.Running, Boot.Outcome);
    }

    [Fact]
    public void A_machine_that_is_up_does_not_stall()
    {
        Begin();
        See(BootStage.Up);
        _clock.Advance(TimeSpan.FromDays(10));
        _timelines.MarkStalled();
        Assert.Equal(BootOutcome.Up, Boot.Outcome);
    }

    [Fact]
    public void Facts_do_not_put_a_stall_off()
    {
        Begin();
        for (var i = 0; i < 70; i++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            See(BootStage.Dhcp);
        }
        _timelines.MarkStalled();
        Assert.Equal(BootOutcome.Stalled, Boot.Outcome);
    }

    [Fact]
    public void A_run_keeps_a_bounded_number_of_events_and_still_moves()
    {
        Begin();
        for (var i = 0; i < 2 * Fleet.Boots.Boot.MaxEvents; i++)
            See(BootStage.Partition);
        See(BootStage.Up);
        Assert.Equal(Fleet.Boots.Boot.MaxEvents, Boot.Events.Count);
        Assert.Equal(BootOutcome.Up, Boot.Outcome);
    }

    [Fact]
    public async Task A_follower_gets_every_event_in_order()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        await using var follower = _timelines.FollowAsync(cancellation: stop.Token).GetAsyncEnumerator(stop.Token);
        var next = follower.MoveNextAsync();
        Begin();
        See(BootStage.Script);
        Assert.True(await next);
        Assert.Equal(BootStage.Dhcp, follower.Current.Stage);
        Assert.True(await follower.MoveNextAsync());
        Assert.Equal(BootStage.Script, follower.Current.Stage);
    }

    [Fact]
    public async Task A_follower_of_one_machine_gets_what_there_is_of_its_run_first_and_nothing_of_others()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        Begin();
        Say("one");
        await using var follower = _timelines.FollowAsync(Mac, stop.Token).GetAsyncEnumerator(stop.Token);
        Assert.True(await follower.MoveNextAsync());
        _timelines.Observe(MacAddress.Parse("52:54:00:77:00:09"), "node-9", BootStage.Dhcp, "offered", starts: true);
        See(BootStage.Up);
        List<string> seen = [follower.Current.Text];
        while (seen.Count < 3 && await follower.MoveNextAsync())
            seen.Add(follower.Current.Text);
        Assert.Equal(["offered", "says: one", "seen"], seen);
    }

    [Fact]
    public void A_machine_that_is_approved_while_it_boots_has_its_name_from_then_on()
    {
        var timelines = new BootTimelines(_clock, limit: 1);
        timelines.Observe(Mac, Mac.ToString(), BootStage.Dhcp, "offered", starts: true);
        timelines.Observe(Mac, "node-1", BootStage.Script, "seen");
        timelines.Observe(MacAddress.Parse("02:00:00:00:00:01"), "02:00:00:00:00:01", BootStage.Dhcp, "offered", starts: true);
        Assert.Equal("node-1", timelines.Of(Mac)?.Machine);
        Assert.Equal([Mac.ToString(), "node-1"], timelines.EventsOf(Mac).Select(e => e.Machine));
    }

    [Fact]
    public void Any_order_of_evidence_keeps_the_stages_in_the_order_of_the_chain() =>
        Gen.Int[0, 9].List[1, 40].Sample(stages =>
        {
            var timelines = new BootTimelines(new StoppedClock());
            foreach (var stage in stages)
                timelines.Observe(Mac, "node-1", (BootStage)stage, "seen");
            var boot = timelines.Of(Mac)!;
            return boot.Entered.Keys.SequenceEqual(stages.Select(s => (BootStage)s).Distinct().Order())
                && boot.Stage == (BootStage)stages.Max()
                && boot.Events.Count(e => e.Kind == BootEventKind.Entered) == boot.Entered.Count;
        });

    private void Say(string text) => _timelines.Hear(Mac, "says: " + text, new Dictionary<string, string>());

    private void Begin() => _timelines.Observe(Mac, "node-1", BootStage.Dhcp, "offered", starts: true);

    private void See(BootStage stage) => _timelines.Observe(Mac, "node-1", stage, "seen");
}
