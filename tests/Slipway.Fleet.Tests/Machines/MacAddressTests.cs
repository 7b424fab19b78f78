using CsCheck;
using Slipway.Fleet.Machines;

namespace Slipway.Fleet.Tests.Machines;

public class MacAddressTests
{
    [Theory]
    [InlineData("52:54:00:77:0a:FF")]
    [InlineData("52-54-00-77-0A-ff")]
    [InlineData("525400770aff")]
    public void Every_way_of_writing_it_is_read(string text)
    {
        var mac = MacAddress.Parse(text);
        Assert.Equal("52:54:00:77:0a:ff", mac.ToString());
        Assert.Equal("52-54-00-77-0a-ff", mac.ToHyphenated());
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("52:54:00:77:0a")]
    [InlineData("52:54:00:77:0a:ff:01")]
    [InlineData("52:54:00:77:0a:fg")]
    [InlineData("52:54-00:77:0a:ff")]
    [InlineData("5254.0077.0aff")]
    [InlineData(" 525400770aff")]
    [InlineData("+25400770aff")]
    public void What_is_none_is_refused(string? text) => Assert.False(MacAddress.TryParse(text, null, out _));

    [Fact]
    public void Text_and_bytes_round_trip() => Gen.Byte.Array[6].Sample(bytes =>
    {
        var mac = MacAddress.From(bytes);
        return MacAddress.Parse(mac.ToString()) == mac && MacAddress.Parse(mac.ToHyphenated()) == mac
            && mac.ToString() == string.Join(':', bytes.Select(b => b.ToString("x2", null)));
    });

    [Fact]
    public void Any_text_is_read_or_refused() => Gen.String.Sample(text =>
    {
        if (MacAddress.TryParse(text, null, out var mac))
            Assert.Equal(mac, MacAddress.Parse(mac.ToString()));
    });
}
