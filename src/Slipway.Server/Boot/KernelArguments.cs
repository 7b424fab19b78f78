using System.Net;
using Slipway.Fleet.Credentials;

namespace Slipway.Server.Boot;

/// <summary>
/// The disk's parameters as kernel arguments, under the names that open-iscsi's initramfs hook of Debian reads, and where
/// to say that the machine is up.
/// </summary>
public static class KernelArguments
{
    public static string Of(IscsiNames names, BootCredentials credentials, IPEndPoint portal, Uri up) => string.Join(' ',
        $"ISCSI_INITIATOR={names.Initiator}",
        $"ISCSI_TARGET_NAME={names.Target}",
        $"ISCSI_TARGET_IP={portal.Address}",
        $"ISCSI_TARGET_PORT={portal.Port}",
        "ISCSI_TARGET_GROUP=1",
        $"ISCSI_USERNAME={credentials.User}",
        $"ISCSI_PASSWORD={credentials.Secret}",
        $"ISCSI_IN_USERNAME={credentials.ReverseUser}",
        $"ISCSI_IN_PASSWORD={credentials.ReverseSecret}",
        $"slipway_up={up}",
        "ip=dhcp");
}
