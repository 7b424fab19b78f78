using System.Net;
using System.Text;
using Slipway.Fleet.Machines;
using Slipway.Server.Boot.Programs;
using Slipway.Server.Machines;
using Slipway.Server.Site;
using Slipway.Tftp.Server;

namespace Slipway.Server.Tests.Boot.Programs;

public sealed class TftpFolderTests : IDisposable
{
    private static readonly IPEndPoint Node = new(IPAddress.Parse("10.0.0.10"), 2000), Unnamed = new(IPAddress.Parse("10.0.0.11"), 2000), Stranger = new(IPAddress.Parse("10.0.0.12"), 2000);
    private readonly TemporaryFolder _folder = new();
    private readonly TftpFolder _files;

    public TftpFolderTests()
    {
        var (node, unnamed) = (MacAddress.Parse("52:54:00:00:00:10"), MacAddress.Parse("52:54:00:00:00:11"));
        var machines = new MachineDirectory([new MachineSettings { Name = "node-1", Mac = node, Volume = "node-1" }],
            address => address.Equals(Node.Address) ? node : address.Equals(Unnamed.Address) ? unnamed : null);
        Write("ipxe/ipxe-amd64.bin", "");
        _files = new(Path.Combine(_folder.Path, "tftp"), machines, new BootPrograms(Path.Combine(_folder.Path, "ipxe"), new byte[32]));
        Write("tftp/boot.scr", "everybody's");
        Write("tftp/a/b", "deep");
        Write("tftp/machines/node-1/boot.scr", "node-1's");
        Write("tftp/machines/52-54-00-00-00-11/boot.scr", "by MAC");
        Write("secret", "secret");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Each_machine_gets_its_own_file_and_others_everybodys()
    {
        Assert.Equal("node-1's", Read("boot.scr", Node));
        Assert.Equal("by MAC", Read("boot.scr", Unnamed));
        Assert.Equal("everybody's", Read("boot.scr", Stranger));
        Assert.Equal("deep", Read("a/b", Node));
    }

    [Theory]
    [InlineData("machines/node-1/boot.scr")]
    [InlineData("a")]
    [InlineData("nothing")]
    [InlineData("../secret")]
    public void What_is_not_a_clients_is_not_there(string name)
    {
        // As the server does before it asks (TftpName).
        if (TftpName.Normalise(name) is { } normal)
            Assert.Null(_files.Open(normal, Stranger).Content);
        else
            Assert.Equal("../secret", name);
    }

    private string Read(string name, IPEndPoint client)
    {
        using var content = _files.Open(name, client).Content!;
        var bytes = new byte[content.Length];
        Assert.Equal(bytes.Length, content.Read(0, bytes));
        Assert.Equal(0, content.Read(bytes.Length, new byte[10]));
        return Encoding.UTF8.GetString(bytes);
    }

    private void Write(string name, string content)
    {
        var path = Path.Combine(_folder.Path, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }
}
