using System.Text;
using CsCheck;
using Slipway.Tftp.Server;

namespace Slipway.Tftp.Tests;

public class TftpTransferTests
{
    private readonly Conversation _c = new();

    [Fact]
    public void A_plain_request_is_answered_with_the_first_block_of_512_bytes()
    {
        _c.Request(content: 700);
        Assert.Equal([1], _c.Blocks());
        Assert.Equal(4 + 512, _c.Sent[^1].Length);
        _c.Acknowledge(1);
        Assert.Equal(4 + 188, _c.Sent[^1].Length);
        _c.Acknowledge(2);
        Assert.Equal((TftpTransferState.Done, 700L), (_c.Transfer!.State, _c.Transfer.Acknowledged));
    }

    [Fact]
    public void A_file_of_whole_blocks_ends_with_an_empty_one()
    {
        _c.Request(content: 1024);
        _c.Acknowledge(1);
        _c.Acknowledge(2);
        Assert.Equal(4, _c.Sent[^1].Length);
        Assert.Equal(TftpTransferState.Running, _c.Transfer!.State);
        _c.Acknowledge(3);
        Assert.Equal(TftpTransferState.Done, _c.Transfer.State);
    }

    [Theory]
    [InlineData("blksize\01468\0", "blksize\01468\0")]
    [InlineData("blksize\065464\0", "blksize\01468\0")]
    [InlineData("blksize\07\0tsize\00\0", "tsize\0700\0")]
    [InlineData("windowsize\08\0timeout\03\0", "windowsize\08\0timeout\03\0")]
    [InlineData("windowsize\065535\0", "windowsize\064\0")]
    [InlineData("multicast\0\0tsize\00\0", "tsize\0700\0")]
    [InlineData("timeout\00\0windowsize\00\0tsize\00\0", "tsize\0700\0")]
    public void Options_are_accepted_lowered_or_left_out(string asked, string accepted)
    {
        _c.Request(content: 700, options: asked);
        Assert.Equal("\0\u0006" + accepted, Encoding.ASCII.GetString(_c.Sent[0]));
    }

    [Fact]
    public void No_acceptable_option_is_no_OACK()
    {
        _c.Request(content: 700, options: "blksize\00\0");
        Assert.Equal([1], _c.Blocks());
    }

    [Fact]
    public void A_window_is_sent_at_once_and_again_from_where_a_block_was_lost()
    {
        _c.Request(content: 512 * 10, options: "windowsize\04\0");
        _c.Acknowledge(0);
        Assert.Equal([1, 2, 3, 4], _c.Blocks());
        _c.Acknowledge(2);
        Assert.Equal([3, 4, 5, 6], _c.Blocks());
        _c.Acknowledge(2);
        Assert.Equal([3, 4, 5, 6], _c.Blocks());
        _c.Acknowledge(2);
        Assert.Empty(_c.Blocks());
    }

    [Fact]
    public void A_duplicate_acknowledgement_is_not_answered_without_windows()
    {
        _c.Request(content: 2000);
        _c.Acknowledge(1);
        _c.Blocks();
        _c.Acknowledge(1);
        Assert.Empty(_c.Blocks());
    }

    [Fact]
    public void A_silent_client_is_asked_again_ever_more_slowly_and_then_given_up()
    {
        _c.Request(content: 700);
        var waits = new List<double>();
        while (_c.Transfer!.State == TftpTransferState.Running)
        {
            waits.Add((_c.Transfer.Deadline - _c.Clock.GetUtcNow()).TotalSeconds);
            _c.Clock.Advance(_c.Transfer.Deadline - _c.Clock.GetUtcNow());
            _c.Transfer.OnTime();
        }
        Assert.Equal([1, 2, 4, 8, 8, 8], waits);
        Assert.Equal("the client did not acknowledge block 1", _c.Transfer.Reason);
        Assert.Equal(6, _c.Blocks().Count);
    }

    [Fact]
    public void A_client_that_only_wants_the_size_has_not_failed()
    {
        _c.Request(content: 700, options: "tsize\00\0");
        _c.Transfer!.OnPacket("\0\u0005\0\u0008User aborted\0"u8);
        Assert.Equal(TftpTransferState.Probed, _c.Transfer.State);
    }

    [Fact]
    public void A_client_that_breaks_off_has_failed_with_its_own_words()
    {
        _c.Request(content: 700);
        _c.Transfer!.OnPacket("\0\u0005\0\u0003no space\0"u8);
        Assert.Equal("the client broke off with error 3 no space", _c.Transfer.Reason);
    }

    [Theory]
    [InlineData("\0\u0002f\0octet\0", 2)]
    [InlineData("\0\u0001f\0mail\0", 4)]
    [InlineData("\0\u0001missing\0octet\0", 1)]
    [InlineData("\0\u0001../f\0octet\0", 2)]
    [InlineData("\0\u0001", 4)]
    [InlineData("\0\u0009f\0octet\0", 4)]
    public void Refusals_have_their_error_code(string packet, byte code)
    {
        Assert.Null(_c.Accept(Encoding.ASCII.GetBytes(packet), out var refusal));
        Assert.Equal([0, 5, 0, code], refusal![..4]);
        Assert.Equal(TftpEventKind.Refused, Assert.Single(_c.Events).Kind);
    }

    [Fact]
    public void An_error_is_not_answered() => 
        Assert.Null(_c.Accept([0, 5, 0, 0, 0], out var refusal) ?? (object?)refusal);

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public void Block_numbers_roll_over_to_zero_in_windows_and_with_losses(int window)
    {
        _c.Request(content: 8 * 70_000, options: $"blksize\08\0windowsize\0{window}\0");
        var random = new Random(1);
        // Losses all around the roll-over, and some before and after.
        var got = _c.ReceiveWithLosses([.. Enumerable.Range(0, 2_000_000).Select(i => random.Next(200) == 0)], []);
        Assert.Equal(TftpTransferState.Done, _c.Transfer!.State);
        Assert.Equal(_c.Content, got);
    }

    [Fact]
    public void Any_loss_and_any_noise_ends_with_the_whole_file_or_a_reason() =>
        Gen.Select(Gen.Int[0, 20_000], Gen.Int[1, 6], Gen.Int[8, 600], Gen.Bool.Array[200], Gen.Byte.Array[0, 12].Where(n => n is not [0, 4, ..]).Array[0, 20]).Sample((length, window, block, losses, noise) =>
        {
            var c = new Conversation();
            c.Request(length, $"blksize\0{block}\0windowsize\0{window}\0");
            var got = c.ReceiveWithLosses(losses, noise);
            if (c.Transfer!.State == TftpTransferState.Done)
                Assert.Equal(c.Content, got);
            else
                Assert.NotEmpty(c.Transfer.Reason);
        });
}
