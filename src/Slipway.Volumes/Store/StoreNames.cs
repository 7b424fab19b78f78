namespace Slipway.Volumes.Store;

/// <summary>Names become file names: nothing in them may mean anything to a file system or a shell.</summary>
internal static class StoreNames
{
    public static bool IsName(string name) =>
        name.Length is > 0 and <= 64 && char.IsAsciiLetterOrDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    public static void Check(string name)
    {
        if (!IsName(name)) throw new VolumeStoreException($"'{name}' is not a name: up to 64 letters, digits, '-', '_' and '.', beginning with a letter or digit");
    }
}
