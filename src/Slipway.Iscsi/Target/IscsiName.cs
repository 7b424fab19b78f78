using System.Text;

namespace Slipway.Iscsi.Target;

/// <summary>What initiators and targets are called.</summary>
public static class IscsiName
{
    /// <summary>RFC 7143 §4.2.7.1.</summary>
    public const int MaxBytes = 223;

    /// <summary>What is right, in words.</summary>
    public const string Rule = "an iSCSI name, like iqn.2026-11.org.example:disk1 (or eui.…, naa.…; at most 223 bytes, no blanks or commas)";

    /// <summary>RFC 3722 asks for more; what matters here is that a name is short, and prints.</summary>
    public static bool IsValid(string name) =>
        name.Length > 4 && Encoding.UTF8.GetByteCount(name) <= MaxBytes && !name.Any(c => char.IsControl(c) || char.IsWhiteSpace(c) || c == ',' || c == '\uFFFD')
        && (name.StartsWith("iqn.", StringComparison.OrdinalIgnoreCase) || name.StartsWith("eui.", StringComparison.OrdinalIgnoreCase) || name.StartsWith("naa.", StringComparison.OrdinalIgnoreCase));
}
