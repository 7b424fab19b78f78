using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Slipway.Tests.Targets;

/// <summary>The command against other people's initiators: libiscsi's tools, and QEMU's block driver.</summary>
public sealed class TargetCommandTests : IDisposable
{
    private const int Size = 32 << 20;
    private const string Secret = "initiator-secret-1";
    private const string ReverseSecret = "target-secret-22222";
    private static readonly string[] Right = ["LIBISCSI_CHAP_USERNAME=host", $"LIBISCSI_CHAP_PASSWORD={Secret}"];
    private static readonly string[] RightReverse = ["LIBISCSI_CHAP_TARGET_USERNAME=disk", $"LIBISCSI_CHAP_TARGET_PASSWORD={ReverseSecret}"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(512, "")]
    [InlineData(4096, "")]
    [InlineData(512, "?header_digest=crc32c")]
    public async Task Libiscsi_finds_it_and_asks_what_it_is(int blockSize, string query)
    {
        await using var target = await ServedTarget.StartAsync(Disk("disk.img"), "--block-size", blockSize.ToString(CultureInfo.InvariantCulture));
        var list = await Tool.RunAsync("iscsi-ls", "-s", $"iscsi://{target.Portal}{query}");
        Assert.Contains($"Target:{target.Name} Portal:{target.Portal},1", list, StringComparison.Ordinal);
        Assert.Contains("Lun:0    Type:DIRECT_ACCESS (Size:31M)", list, StringComparison.Ordinal);
        var inquiry = await target.RunAsync("iscsi-inq", query: query);
        Assert.Contains("Vendor:SLIPWAY", inquiry, StringComparison.Ordinal);
        Assert.Contains("Peripheral Device Type:DIRECT_ACCESS", inquiry, StringComparison.Ordinal);
        var capacity = await target.RunAsync("iscsi-readcapacity16", query: query);
        Assert.Contains($"Total size:{Size}", capacity, StringComparison.Ordinal);
        Assert.Contains($"LOGICAL BLOCK LENGTH IN BYTES:{blockSize}", capacity, StringComparison.Ordinal);
        Assert.Equal(0, await target.InterruptAsync());
    }

    [Theory]
    [InlineData(512, "none")]
    [InlineData(4096, "none")]
    [InlineData(512, "crc32c")]
    [InlineData(4096, "crc32c-none")]
    public async Task QEMU_copies_to_it_and_from_it(int blockSize, string digest)
    {
        var source = Disk("source.img", seed: 7);
        await using (var target = await ServedTarget.StartAsync(Disk("disk.img"), "--block-size", blockSize.ToString(CultureInfo.InvariantCulture)))
        {
            var options = $"driver=iscsi,transport=tcp,portal={target.Portal},target={target.Name},lun=0,header-digest={digest}";
            Assert.Contains("virtual size: 32 MiB", await Tool.RunAsync("qemu-img", "info", target.Url.ToString()), StringComparison.Ordinal);
            await Tool.RunAsync("qemu-img", "convert", "-n", "-f", "raw", "--target-image-opts", source, "driver=raw,file." + options.Replace(",", ",file.", StringComparison.Ordinal));
            await Tool.RunAsync("qemu-img", "convert", "--image-opts", "-O", "raw", "driver=raw,file." + options.Replace(",", ",file.", StringComparison.Ordinal), _folder["back.img"]);
        }
        var written = await File.ReadAllBytesAsync(source);
        Assert.True((await File.ReadAllBytesAsync(_folder["disk.img"])).SequenceEqual(written), "the file is not what was written");
        Assert.True((await File.ReadAllBytesAsync(_folder["back.img"])).SequenceEqual(written), "what was read is not what was written");
    }

    [Fact]
    public async Task Several_files_are_the_disks_of_one_target()
    {
        var source = Disk("source.img", seed: 7);
        var readOnly = await File.ReadAllBytesAsync(Disk("c, d.img", seed: 2));
        await Tool.RunAsync("qemu-img", "create", "-q", "-f", "qcow2", _folder["b.qcow2"], "32M");
        await using (var target = await ServedTarget.StartAsync(
            Disk("a.img"), _folder["b.qcow2"] + ",block-size=4096", _folder["c, d.img"] + ",read-only,lun=7", Disk("e.img") + ",removable"))
        {
            Assert.EndsWith(":a", target.Name, StringComparison.Ordinal);
            await target.PrintsAsync($"{target.Name}/8");
            var list = await Tool.RunAsync("iscsi-ls", "-s", $"iscsi://{target.Portal}");
            Assert.Equal(["0", "1", "7", "8"], Regex.Matches(list, @"Lun:(\d+) +Type:DIRECT_ACCESS \(Size:31M\)").Select(m => m.Groups[1].Value));
            Assert.Contains("LENGTH IN BYTES:512", await Tool.RunAsync("iscsi-readcapacity16", Lun(0)), StringComparison.Ordinal);
            Assert.Contains("LENGTH IN BYTES:4096", await Tool.RunAsync("iscsi-readcapacity16", Lun(1)), StringComparison.Ordinal);
            Assert.Contains("Removable:0", await Tool.RunAsync("iscsi-inq", Lun(0)), StringComparison.Ordinal);
            Assert.Contains("Removable:1", await Tool.RunAsync("iscsi-inq", Lun(8)), StringComparison.Ordinal);
            await Tool.RunAsync("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", source, Lun(0));
            await Tool.RunAsync("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", source, Lun(1));
            var (status, output) = await Tool.TryRunAsync("qemu-io", "-f", "raw", "-c", "write -P 1 0 64k", Lun(7));
            Assert.True(status != 0, output);
            // QEMU's tools see what was not flushed once the image is closed.
            Assert.Equal(0, await target.InterruptAsync());

            string Lun(int lun) => $"iscsi://{target.Portal}/{target.Name}/{lun}";
        }
        Assert.Contains("identical", await Tool.RunAsync("qemu-img", "compare", "-f", "raw", source, _folder["a.img"]), StringComparison.Ordinal);
        Assert.Contains("identical", await Tool.RunAsync("qemu-img", "compare", source, _folder["b.qcow2"]), StringComparison.Ordinal);
        Assert.Equal(readOnly, await File.ReadAllBytesAsync(_folder["c, d.img"]));
    }

    /// <summary>What LVM and ZFS have as volumes.</summary>
    [Fact]
    public async Task A_block_device_is_served()
    {
        var source = Disk("source.img", seed: 7);
        var device = (await Tool.RunAsync("losetup", "--find", "--show", Disk("below.img"))).Trim();
        try
        {
            await using var target = await ServedTarget.StartAsync(device);
            await Tool.RunAsync("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", source, target.Url.ToString());
            Assert.Equal(0, await target.InterruptAsync());
        }
        finally
        {
            await Tool.RunAsync("losetup", "--detach", device);
        }
        Assert.Equal(await File.ReadAllBytesAsync(source), await File.ReadAllBytesAsync(_folder["below.img"]));
    }

    [Fact]
    public async Task An_ISO_image_is_a_CD_ROM()
    {
        var content = await File.ReadAllBytesAsync(Disk("install.iso", seed: 3));
        await using var target = await ServedTarget.StartAsync(Disk("a.img"), _folder["install.iso"] + ",cdrom", "--json");
        using var description = JsonDocument.Parse(target.Log.Split('\n').Single(l => l.StartsWith('{')));
        var disk = description.RootElement.GetProperty("disks")[1];
        Assert.Equal((2048, true), (disk.GetProperty("blockSize").GetInt32(), disk.GetProperty("readOnly").GetBoolean()));
        var url = disk.GetProperty("urls")[0].GetString()!;
        var inquiry = await Tool.RunAsync("iscsi-inq", url);
        Assert.Contains("MMC", inquiry, StringComparison.Ordinal);
        Assert.Contains("Removable:1", inquiry, StringComparison.Ordinal);
        await Tool.RunAsync("qemu-img", "convert", "-f", "raw", "-O", "raw", url, _folder["back.iso"]);
        Assert.True((await File.ReadAllBytesAsync(_folder["back.iso"])).SequenceEqual(content), "what was read is not what is in the image");
    }

    [Fact]
    public async Task A_program_reads_what_is_served()
    {
        await using var target = await ServedTarget.StartAsync(Disk("a.img"), Disk("b.img") + ",block-size=4096", "--read-only", "--json");
        Assert.Single(target.Printed);
        using var description = JsonDocument.Parse(target.Log.Split('\n').Single(l => l.StartsWith('{')));
        var disk = description.RootElement.GetProperty("disks")[1];
        Assert.Equal(target.Name, description.RootElement.GetProperty("target").GetString());
        Assert.Equal((1, Size, 4096, true), (disk.GetProperty("lun").GetInt32(), disk.GetProperty("size").GetInt64(), disk.GetProperty("blockSize").GetInt32(), disk.GetProperty("readOnly").GetBoolean()));
        Assert.Contains("DIRECT_ACCESS", await Tool.RunAsync("iscsi-inq", disk.GetProperty("urls")[0].GetString()!), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_qcow2_image_is_served_too()
    {
        var source = Disk("source.img", seed: 7);
        await Tool.RunAsync("qemu-img", "create", "-q", "-f", "qcow2", _folder["disk.qcow2"], "32M");
        await using (var target = await ServedTarget.StartAsync(_folder["disk.qcow2"]))
        {
            await Tool.RunAsync("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", source, target.Url.ToString());
            Assert.Contains("identical", await Tool.RunAsync("qemu-img", "compare", "-f", "raw", "-F", "raw", source, target.Url.ToString()), StringComparison.Ordinal);
            Assert.Equal(0, await target.InterruptAsync());
        }
        await Tool.RunAsync("qemu-img", "check", "-q", _folder["disk.qcow2"]);
        Assert.Contains("identical", await Tool.RunAsync("qemu-img", "compare", source, _folder["disk.qcow2"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task CHAP_one_way()
    {
        await using var target = await ServedTarget.StartAsync(Disk("disk.img"), "--chap-user", "host", "--chap-secret-file", SecretFile(Secret));
        await target.RunAsync("iscsi-inq", Right);
        Assert.Contains("CHAP Md5)", await target.PrintsAsync("logged in to " + target.Name), StringComparison.Ordinal);
        Assert.Contains(target.Name, await Tool.RunAsync("env", [.. Right, "iscsi-ls", "-s", $"iscsi://{target.Portal}"]), StringComparison.Ordinal);
        await Tool.RunAsync("qemu-img", "info", $"iscsi://host%{Secret}@{target.Portal}/{target.Name}/0");

        var (status, _) = await target.TryAsync("iscsi-inq", ["LIBISCSI_CHAP_USERNAME=host", "LIBISCSI_CHAP_PASSWORD=not-the-secret-1"]);
        Assert.NotEqual(0, status);
        Assert.Matches("iqn.2007-10.com.github:sahlberg:libiscsi:iscsi-inq at 127.0.0.1:[0-9]+ refused at .*: wrong CHAP secret of \"host\" .WrongSecret, status 0201", await target.PrintsAsync("refused"));
        (status, _) = await target.TryAsync("iscsi-inq", ["LIBISCSI_CHAP_USERNAME=guest", $"LIBISCSI_CHAP_PASSWORD={Secret}"]);
        Assert.NotEqual(0, status);
        await target.PrintsAsync("CHAP name \"guest\", expected \"host\"");
        (status, _) = await target.TryAsync("iscsi-inq");
        Assert.NotEqual(0, status);
        await target.PrintsAsync("CHAP is required");
        (status, _) = await Tool.TryRunAsync("iscsi-ls", $"iscsi://{target.Portal}");
        Assert.NotEqual(0, status);

        await target.RunAsync("iscsi-inq", Right);
        Assert.Equal(0, await target.InterruptAsync());
        Assert.DoesNotContain(Secret, target.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CHAP_both_ways()
    {
        await using var target = await ServedTarget.StartAsync(
            Disk("disk.img"), "--chap-user", "host", "--chap-secret-file", SecretFile(Secret), "--reverse-user", "disk", "--reverse-secret-file", SecretFile(ReverseSecret));
        await target.RunAsync("iscsi-readcapacity16", [.. Right, .. RightReverse]);
        Assert.Contains("CHAP Md5, mutual)", await target.PrintsAsync("logged in to " + target.Name), StringComparison.Ordinal);

        var (status, _) = await target.TryAsync("iscsi-inq", [.. Right, "LIBISCSI_CHAP_TARGET_USERNAME=disk", "LIBISCSI_CHAP_TARGET_PASSWORD=not-the-secret-2"]);
        Assert.NotEqual(0, status);
        await target.PrintsAsync("it has another reverse secret or name (ReverseRefused");
        (status, _) = await target.TryAsync("iscsi-inq", Right);
        Assert.NotEqual(0, status);
        await target.PrintsAsync("mutual CHAP is required");

        await target.RunAsync("iscsi-inq", [.. Right, .. RightReverse]);
        Assert.DoesNotContain(ReverseSecret, target.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_target_that_is_not_here_is_refused()
    {
        await using var target = await ServedTarget.StartAsync(Disk("disk.img"), "--iqn", "iqn.2026-11.test:here");
        Assert.Equal("iqn.2026-11.test:here", target.Name);
        var (status, output) = await Tool.TryRunAsync("iscsi-inq", $"iscsi://{target.Portal}/iqn.2026-11.test:there/0");
        Assert.NotEqual(0, status);
        Assert.Contains("Target not found", output, StringComparison.OrdinalIgnoreCase);
        await target.PrintsAsync("there is no target iqn.2026-11.test:there here, only iqn.2026-11.test:here");
        await target.RunAsync("iscsi-inq");
    }

    [Fact]
    public async Task Only_who_is_allowed_is_let_in()
    {
        const string Iqn = "iqn.2007-10.com.github:sahlberg:libiscsi:iscsi-inq";
        await using (var target = await ServedTarget.StartAsync(Disk("disk.img"), "--allow-initiator", "iqn.2026-11.test:other", "--allow-initiator", Iqn, "--allow-network", "127.0.0.0/8"))
        {
            await target.RunAsync("iscsi-inq");
            var (status, output) = await target.TryAsync("iscsi-readcapacity16");
            Assert.True(status != 0, output);
            Assert.Matches("libiscsi:iscsi-readcapacity16 at 127.0.0.1:[0-9]+ refused at .*is not an initiator that may use .* .UnknownInitiator, status 0202", await target.PrintsAsync("refused"));
            (status, output) = await Tool.TryRunAsync("iscsi-ls", $"iscsi://{target.Portal}");
            Assert.True(status != 0 && !output.Contains(target.Name, StringComparison.Ordinal), output);
        }
        await using (var target = await ServedTarget.StartAsync(_folder["disk.img"], "--allow-network", "192.0.2.0/24"))
        {
            var (status, output) = await target.TryAsync("iscsi-inq");
            Assert.True(status != 0, output);
            await target.PrintsAsync("127.0.0.1 is in none of the networks allowed: 192.0.2.0/24 (UnknownInitiator, status 0202)");
        }
    }

    /// <summary>The addresses under which a target is found are never those that nobody can connect to.</summary>
    [Fact]
    public async Task Portals_are_advertised_as_initiators_reach_them()
    {
        await using (var target = await ServedTarget.StartAsync(Disk("disk.img"), "--portal", "0.0.0.0:0"))
        {
            Assert.DoesNotContain("//0.0.0.0", target.Log, StringComparison.Ordinal);
            var port = Regex.Match(await target.PrintsAsync("listening on 0.0.0.0"), @"0\.0\.0\.0:(\d+)").Groups[1].Value;
            var list = await Tool.RunAsync("iscsi-ls", $"iscsi://127.0.0.1:{port}");
            Assert.Contains($"Target:{target.Name} Portal:127.0.0.1:{port},1", list, StringComparison.Ordinal);
        }
        await using (var target = await ServedTarget.StartAsync(_folder["disk.img"], "--portal", "[::]:0"))
        {
            var port = Regex.Match(await target.PrintsAsync("listening on [::]"), @"\[::\]:(\d+)").Groups[1].Value;
            Assert.NotEqual("3260", port);
            // One socket for both: whoever asks by IPv4 is told an IPv4 address.
            foreach (var address in (string[])["[::1]", "127.0.0.1"])
                Assert.Contains($"Target:{target.Name} Portal:{address}:{port},1", await Tool.RunAsync("iscsi-ls", $"iscsi://{address}:{port}"), StringComparison.Ordinal);
        }
        await using (var target = await ServedTarget.StartAsync(_folder["disk.img"], "--advertise", "192.0.2.1:3261", "--advertise", "127.0.0.1"))
        {
            Assert.StartsWith("192.0.2.1:3261", target.Portal, StringComparison.Ordinal);
            var portal = Regex.Match(await target.PrintsAsync("//127.0.0.1"), @"127\.0\.0\.1:\d+").Value;
            var list = await Tool.RunAsync("iscsi-ls", $"iscsi://{portal}");
            Assert.Contains("Portal:192.0.2.1:3261,1", list, StringComparison.Ordinal);
            Assert.Contains($"Portal:{portal},1", list, StringComparison.Ordinal);
        }
    }

    /// <summary>libiscsi logs out when it is asked to.</summary>
    [Fact]
    public async Task A_drained_target_ends_when_its_initiators_have_logged_out()
    {
        await using var here = await ServedTarget.StartAsync(Disk("disk.img"), "--drain", "60");
        using var qemu = Process.Start(new ProcessStartInfo("qemu-io", ["-f", "raw", here.Url.ToString()]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        await qemu.StandardInput.WriteLineAsync("read 0 64k");
        // While it opens the disk it hears nothing but the answers that it waits for.
        var said = "";
        while (!said.Contains("read 65536/65536 bytes", StringComparison.Ordinal))
            said = await qemu.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) ?? throw new InvalidOperationException("qemu-io ended");
        Assert.Equal(0, await here.InterruptAsync());
        await here.PrintsAsync("are asked to log out within 60 s");
        await here.PrintsAsync("the initiator logged out");
        qemu.Kill();
        await qemu.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task An_initiator_follows_to_the_portal_that_it_is_sent_to()
    {
        await using var there = await ServedTarget.StartAsync(Disk("disk.img"), "--iqn", "iqn.2026-11.test:moved");
        await using var here = await ServedTarget.StartAsync(Disk("other.img"), "--iqn", "iqn.2026-11.test:moved", "--redirect", there.Portal);
        Assert.Contains($"Total size:{Size}", await here.RunAsync("iscsi-readcapacity16"), StringComparison.Ordinal);
        await here.PrintsAsync($"asked for iqn.2026-11.test:moved: sent to {there.Portal} (status 0101)");
        await there.PrintsAsync("logged in to iqn.2026-11.test:moved");
    }

    [Fact]
    public async Task Writes_are_refused_where_they_are_not_wanted()
    {
        var before = await File.ReadAllBytesAsync(Disk("disk.img"));
        await using var target = await ServedTarget.StartAsync(_folder["disk.img"], "--read-only");
        var (status, output) = await Tool.TryRunAsync("qemu-io", "-f", "raw", "-c", "write -P 1 0 64k", target.Url.ToString());
        Assert.True(status != 0, output);
        await Tool.RunAsync("qemu-io", "-r", "-f", "raw", "-c", "read 0 64k", target.Url.ToString());
        Assert.Equal(before, await File.ReadAllBytesAsync(_folder["disk.img"]));
    }

    [Fact]
    public async Task Wrong_arguments_are_explained()
    {
        await FailsWith(1, "there is no file ./missing.img", "./missing.img");
        await FailsWith(1, "there is no file missing.img here, and no volume of that name", "missing.img", "--state", _folder["state"]);
        Assert.False(Directory.Exists(_folder["state"]));
        await FailsWith(1, "12 to 255 bytes", Disk("disk.img"), "--chap-user", "host", "--chap-secret-file", SecretFile("short"));
        await FailsWith(2, "--chap-user and --chap-secret-file go together", Disk("disk.img"), "--chap-user", "host");
        await FailsWith(1, "two secrets", Disk("disk.img"), "--chap-user", "host", "--chap-secret-file", SecretFile(Secret), "--reverse-user", "disk", "--reverse-secret-file", SecretFile(Secret));
        await FailsWith(2, "'block-size=1000' is none of lun=0..255", Disk("disk.img") + ",block-size=1000");
        await FailsWith(1, "raed-only: behind a comma stands one of lun=0..255, block-size=512|4096, read-only, removable, cdrom; did you mean read-only?", Disk("disk.img") + ",raed-only");
        await FailsWith(2, "LUN 3 of", Disk("disk.img") + ",lun=3", Disk("other.img") + ",lun=3");
        await FailsWith(2, "would be LUN 256", Disk("disk.img") + ",lun=255", Disk("other.img"));
        await FailsWith(2, "'soon': --drain takes 0 to 3600 seconds", Disk("disk.img"), "--drain", "soon");
        await FailsWith(2, "'mine': it is not an iSCSI name, like iqn.", Disk("disk.img"), "--iqn", "mine");
        await FailsWith(2, "leave block-size out", Disk("disk.img") + ",cdrom,block-size=512");
        await FailsWith(1, "no whole block of 2048", Sized("small.iso", 1024) + ",cdrom");
        await FailsWith(2, "--trace follows one disk", Disk("disk.img"), Disk("other.img"), "--trace", _folder["trace"]);
        await FailsWith(2, "--trace wants the name of a file", Disk("disk.img"), "--trace", "");
        await FailsWith(1, "/usr is a folder", "/usr");
        await FailsWith(2, "is not ADDRESS or ADDRESS:PORT", Disk("disk.img"), "--portal", "nowhere");
        await FailsWith(2, "'0.0.0.0': it is not ADDRESS or ADDRESS:PORT that initiators can connect to", Disk("disk.img"), "--advertise", "0.0.0.0");
        await FailsWith(2, "'10.0.0/8': it is not ADDRESS/BITS", Disk("disk.img"), "--allow-network", "10.0.0/8");

        // 2 where the words alone are wrong.
        async Task FailsWith(int expected, string because, params string[] arguments)
        {
            var (status, output) = await Tool.TryRunAsync(Path.Combine(AppContext.BaseDirectory, "slipway"), ["target", .. arguments]);
            Assert.Equal(expected, status);
            Assert.Contains(because, output, StringComparison.OrdinalIgnoreCase);
        }
    }

    private string Sized(string name, int length)
    {
        File.WriteAllBytes(_folder[name], new byte[length]);
        return _folder[name];
    }

    private string SecretFile(string secret)
    {
        var file = _folder[Path.GetRandomFileName()];
        File.WriteAllText(file, secret + "\n");
        return file;
    }

    /// <summary>A disk with holes, runs of zeroes and bytes that repeat nowhere.</summary>
    private string Disk(string name, int seed = 1)
    {
        var file = _folder[name];
        using var stream = new FileStream(file, FileMode.Create);
        stream.SetLength(Size);
        var random = new Random(seed);
        var run = new byte[1 << 20];
        for (var at = 0; at < Size; at += 3 << 20)
        {
            random.NextBytes(run);
            stream.Position = at + seed * 512;
            stream.Write(run.AsSpan(0, Math.Min(run.Length, Size - at - seed * 512)));
        }
        return file;
    }
}
