using System.Text.Json;
using Slipway.Server.Tests;
using Slipway.Server.Tests.Net;

namespace Slipway.EndToEnd;

/// <summary>What only a native program can fail at: JSON of a type that was not compiled in, code that was left out, a library that is not beside it.</summary>
public sealed class NativeProgramTests(NativeProgram program) : IClassFixture<NativeProgram>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string State => Path.Combine(_folder.Path, "state");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task An_image_is_imported_and_every_command_of_volumes_tells_JSON()
    {
        var (files, disk) = (Directory.CreateDirectory(Path.Combine(_folder.Path, "files")).FullName, Path.Combine(_folder.Path, "disk"));
        await File.WriteAllTextAsync(Path.Combine(files, "hostname"), "golden\n", TestContext.Current.CancellationToken);
        Tool.Run("mke2fs", "-q", "-t", "ext4", "-d", files, disk, "8M");
        Tool.Run("xz", "--keep", disk);
        Tool.Run("zstd", "-q", disk);
        Tool.Run("qemu-img", "convert", "-O", "vmdk", "-o", "subformat=streamOptimized", disk, disk + ".vmdk");
        Tool.Run("qemu-img", "convert", "-c", "-O", "qcow2", disk, disk + ".qcow2");
        foreach (var form in new[] { "", ".xz", ".zst", ".vmdk", ".qcow2" })
            Assert.Equal(8 << 20, Json("image", "import", disk + form, "--name", "golden").GetProperty("size").GetInt64());
        Assert.Equal(5, Json("image", "list").GetArrayLength());
        Assert.Equal("golden@5", Json("image", "verify", "golden").GetProperty("reference").GetString());

        var made = Json("volume", "create", "--image", "golden", "--for", "web01", "--policy", "reset");
        Assert.Equal(("golden@5", "reset"), (made.GetProperty("image").GetString(), made.GetProperty("policy").GetString()));
        Assert.Equal("before", Json("volume", "snapshot", "web01", "before").GetProperty("snapshots")[0].GetProperty("name").GetString());
        Assert.Equal("web01", Assert.Single(Json("volume", "list").EnumerateArray()).GetProperty("name").GetString());
        Assert.Equal(8 << 20, Json("volume", "usage")[0].GetProperty("size").GetInt64());
        Assert.Contains(Json("volume", "ls", "web01").EnumerateArray(), f => (f.GetProperty("name").GetString(), f.GetProperty("kind").GetString()) == ("hostname", "file"));
        Assert.Equal("golden\n", Tool.Run(program.Path, "volume", "cat", "web01", "/hostname", "--state", State).Output);
        Assert.Equal("vhdx", Json("volume", "export", "web01", disk + ".vhdx", "--format", "vhdx").GetProperty("format").GetString());
        Assert.Equal("Images are identical.", Tool.Run("qemu-img", "compare", "-f", "raw", "-F", "vhdx", disk, disk + ".vhdx").Output.Trim());
        Assert.True(JsonDocument.Parse(Tool.Run(program.Path, "schema").Output).RootElement.TryGetProperty("properties", out _));
        Assert.StartsWith("# SLP1003: ", Tool.Run(program.Path, "explain", "SLP1003").Output, StringComparison.Ordinal);
        Assert.True(JsonDocument.Parse(Tool.Try(program.Path, "firmware", "trust", disk, disk + ".efi", "--ca", disk, "--json").Errors).RootElement.TryGetProperty("error", out _));
    }

    [Fact]
    public async Task A_disk_is_served_with_CHAP_and_digests()
    {
        var (disk, secret) = (Path.Combine(_folder.Path, "disk"), Path.Combine(_folder.Path, "secret"));
        await File.WriteAllBytesAsync(disk, [.. Enumerable.Range(0, 1 << 20).Select(i => (byte)(i * 7 >> 3))], TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(secret, "sixteen-or-more!", TestContext.Current.CancellationToken);
        using var target = new BackgroundTool(program.Path, "target", disk, "--portal", "127.0.0.1:0", "--chap-user", "joe", "--chap-secret-file", secret, "--json");
        target.WaitFor("{");
        var described = JsonDocument.Parse(target.Lines.Single(l => l.StartsWith('{'))).RootElement;
        var (name, portal) = (described.GetProperty("target").GetString(), described.GetProperty("portals")[0].GetString());

        Assert.Equal("Images are identical.", Tool.Run("qemu-img", "compare", "-U", "--object", $"secret,id=s,file={secret}", "--image-opts", $"driver=file,filename={disk}",
            $"driver=iscsi,transport=tcp,portal={portal},target={name},lun=0,user=joe,password-secret=s,header-digest=crc32c").Output.Trim());
        target.Signal("TERM");
        Assert.Equal(0, await target.EndAsync(TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public async Task A_site_is_served_and_its_server_asked()
    {
        using var network = GuestNetwork.Create("native", "eth1", "10.77.0.1/24");
        var site = Path.Combine(_folder.Path, "slipway.yaml");
        await File.WriteAllTextAsync(site, $"""
            name: lab
            state: {State}
            https:
              client-certificates: optional
            networks:
              - name: boot
                interface: eth1
                address: 10.77.0.1/24
                pool: 10.77.0.100-10.77.0.200
            """, TestContext.Current.CancellationToken);
        Json("volume", "create", "node-1", "--size", "1M");
        Assert.DoesNotContain(JsonDocument.Parse(network.Execute(program.Path, "doctor", "-c", site, "--json").Output).RootElement.EnumerateArray(),
            f => f.GetProperty("health").GetString() == "failure");
        using var server = network.Start(program.Path, "serve", "-c", site, "--json");
        server.WaitFor("serving network boot");
        using var follow = new BackgroundTool(program.Path, "boot", "follow", "--json", "--state", State);

        const string Mac = "52:54:00:77:00:01";
        Assert.Equal("approved", Json("machine", "approve", Mac, "--name", "node-1", "--volume", "node-1").GetProperty("state").GetString());
        Assert.Equal("local", Json("machine", "boot-once", "node-1", "local").GetProperty("bootOnce").GetString());
        Assert.Equal("node-1", Json("machine", "certificate", "issue", "node-1", "--out", Path.Combine(_folder.Path, "node-1")).GetProperty("machine").GetString());
        Assert.Equal(1, Json("machine", "certificate", "list").GetArrayLength());
        Assert.Equal(0, Json("network", "leases").GetArrayLength());
        Assert.Contains("name: lab", Tool.Run(program.Path, "export", "--state", State).Output, StringComparison.Ordinal);

        Assert.StartsWith("#!ipxe", network.Execute("curl", "-sS", "--cacert", Path.Combine(State, "ca.pem"), "--cert", Path.Combine(_folder.Path, "node-1.crt"),
            "--key", Path.Combine(_folder.Path, "node-1.key"), "https://10.77.0.1/boot/52-54-00-77-00-01/ibft").Output, StringComparison.Ordinal);
        Assert.Equal("node-1", Json("boot", "show", "node-1").GetProperty("machine").GetString());
        var described = JsonDocument.Parse(Tool.Run("curl", "-sS", "--unix-socket", Path.Combine(State, "slipway.sock"), "http://slipway/openapi/v1.json").Output).RootElement;
        Assert.True(described.GetProperty("paths").TryGetProperty("/v1/boots/events", out _));

        server.Signal("TERM");
        Assert.Equal(0, await server.EndAsync(TimeSpan.FromMinutes(1)));
        Assert.Equal(1, await follow.EndAsync(TimeSpan.FromMinutes(1)));
    }

    private JsonElement Json(params string[] command) => JsonDocument.Parse(Tool.Run(program.Path, [.. command, "--state", State, "--json"]).Output).RootElement;
}
