using System.Diagnostics;
using Slipway.Volumes.Store;

namespace Slipway.Bench.Volumes;

/// <summary>A thousand clones of one image, in this process, as the server has them.</summary>
internal sealed class ManyClones : IDisposable
{
    private const int Clones = 1000;
    private readonly string _folder;
    private readonly VolumeStore _store;
    private readonly StoredImage _image;

    public ManyClones(Bench bench, Golden golden)
    {
        _folder = bench.NewFile("many");
        _store = new(_folder);
        _image = _store.Images.ImportAsync(golden.Disk, Golden.Name).AsTask().GetAwaiter().GetResult();
    }

    /// <summary>Milliseconds to create one.</summary>
    public double Create()
    {
        Remove();
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < Clones; i++)
            _store.CloneAsync($"c{i}", _image).AsTask().GetAwaiter().GetResult();
        return watch.Elapsed.TotalMilliseconds / Clones;
    }

    /// <summary>KiB of memory that one takes while it is served and nobody reads it.</summary>
    public double Idle()
    {
        Create();
        var served = new List<LiveVolume>();
        try
        {
            var before = Memory();
            for (var i = 0; i < Clones; i++)
                served.Add(_store.ServeAsync($"c{i}").AsTask().GetAwaiter().GetResult());
            var after = Memory();
            // What the heap has free already does not show in the process, and buffers outside of the heap not in it.
            return Math.Max(after.Heap - before.Heap, after.Resident - before.Resident) / 1024.0 / Clones;
        }
        finally
        {
            foreach (var volume in served)
                volume.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void Remove()
    {
        foreach (var volume in _store.List())
            _store.Remove(volume.Name);
    }

    private static (long Heap, long Resident) Memory()
    {
        var heap = GC.GetTotalMemory(forceFullCollection: true);
        using var process = Process.GetCurrentProcess();
        return (heap, process.WorkingSet64);
    }
}
