using Slipway.Ipxe.Scripts;

namespace Slipway.Ipxe.Tests;

public class ScriptCheckTests
{
    [Theory]
    [InlineData("#!ipxe\nsanboot ${slipway-disk} || goto failed\n:failed\nshell\n")]
    [InlineData("#!ipxe\n# chian nothing\n\n  echo a ; chain x && echo b || # done\n")]
    [InlineData("menu A menu\nitem --gap -- hello\nitem one One\nchoose --timeout 5000 target && goto ${target} ||\n:one\n")]
    [InlineData("echo one \\\n  goto nowhere\n")]
    [InlineData("${command} a\nset net${i}/ip 1\nisset ${net${i}/ip} || echo no\n")]
    [InlineData("")]
    public void A_script_that_iPXE_runs_is_right(string script) => Assert.Empty(ScriptCheck.Find(script));

    [Theory]
    [InlineData("#!ipxe\n\nchian http://x/\n", "line 3: 'chian' is no command of iPXE; did you mean chain?")]
    [InlineData("echo a || frobnicate\n", "line 1: 'frobnicate' is no command of iPXE")]
    [InlineData("echo a\ngoto end\n:End\n", "line 2: there is no label ':end'")]
    [InlineData(":a\n:b\n:a\n", "line 3: the label 'a' is in line 1 already: iPXE goes to the first")]
    [InlineData(":\n", "line 1: a label needs a name")]
    [InlineData("iseq\n", "line 1: 'iseq' needs a word after it")]
    [InlineData("goto || echo x\n", "line 1: 'goto' needs a word after it")]
    [InlineData("echo \\\n\\\n${x\n", "line 1: '${x': a setting that begins with ${ ends with }")]
    [InlineData("#!/bin/sh\necho\n", "line 1: '#!/bin/sh': an iPXE script begins with #!ipxe")]
    [InlineData("echo \u0001\n", "line 1: a control character is no part of a script")]
    public void A_mistake_is_told_with_its_line(string script, string message) =>
        Assert.Equal(message, Assert.Single(ScriptCheck.Find(script)).ToString());

    [Fact]
    public void Every_mistake_is_told_in_order() =>
        Assert.Equal([2, 3, 4, 4], ScriptCheck.Find("#!ipxe\nchian x\ngoto a\ngoto b || bot\n").Select(m => m.Line));
}
