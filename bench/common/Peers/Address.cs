namespace Slipway.Bench.Peers;

/// <summary>Where a LUN is found, on this host.</summary>
/// <param name="Account">CHAP's, where it is asked for.</param>
internal sealed record Address(int Port, string Target, int Lun, (string User, string Secret)? Account = null)
{
    /// <summary>For libiscsi and QEMU.</summary>
    public string Url => $"iscsi://{(Account is { } account ? $"{account.User}%{account.Secret}@" : "")}127.0.0.1:{Port}/{Target}/{Lun}";

    /// <summary>For <c>reads</c>.</summary>
    public IEnumerable<string> Arguments =>
        ["127.0.0.1", $"{Port}", Target, $"{Lun}", .. Account is { } account ? new[] { account.User, account.Secret } : []];
}
