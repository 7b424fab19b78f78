namespace Slipway.Volumes.Store;

/// <summary>Names become file names: nothing in them may mean anything to a file system or a shell.</summary>
internal static class StoreNames
{
    public static void Check(string name)
    {
        if (name.Length is 0 or > 64 || !char.IsAsciiLetterOrDigit(name[0]) || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
            throw new VolumeStoreException($"'{name}' is not a name: up to 64 letters, digits, '-', '_' and '.', beginning with a letter or digit");
    }
}
