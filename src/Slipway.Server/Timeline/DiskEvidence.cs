using Slipway.Disks;
using Slipway.Disks.Mapping;
using Slipway.Fleet.Boots;

namespace Slipway.Server.Timeline;

/// <summary>
/// What the reads of a disk tell about a boot: which partition, which file. Called on the data path, so it does nothing
/// but look up, and nothing at all once the machine is up.
/// </summary>
internal sealed class DiskEvidence
{
    // A loader reads dozens of files; more than these tell nobody anything.
    private const int MaxFiles = 100;

    private readonly DiskMap _map;
    private readonly Action<BootStage, string, IReadOnlyDictionary<string, string>?> _observe;
    private readonly Action<DiskPlace> _judge;
    private readonly Lock _gate = new();
    private readonly HashSet<string> _files = [];
    private volatile bool _osLoggedIn;
    private volatile bool _rootSeen;
    private DiskPlace? _last;

    public DiskEvidence(DiskMap map, Action<BootStage, string, IReadOnlyDictionary<string, string>?> observe) => (_map, _observe, _judge) = (map, observe, Judge);

    /// <summary>A new run: every file is news again.</summary>
    public void Begin()
    {
        lock (_gate)
        {
            _files.Clear();
            _last = null;
            _osLoggedIn = _rootSeen = false;
        }
        _map.Invalidate();
    }

    public void OsLoggedIn() => _osLoggedIn = true;

    /// <summary>A read or a write. GRUB reads 32 KiB where it wants a small file.</summary>
    public void Touch(long offset, long length)
    {
        if (_rootSeen)
            return;
        var looking = _map.VisitAsync(offset, length, _judge);
        if (!looking.IsCompletedSuccessfully)
            _ = JudgeLaterAsync(looking);
    }

    // The first question reads the disk. The machine does not wait for it.
    private static async Task JudgeLaterAsync(ValueTask looking)
    {
        try
        {
            await looking;
        }
        catch (BlockDeviceException)
        {
            // The machine's own read of a failing medium is answered, and logged, by the unit.
        }
    }

    private void Judge(DiskPlace place)
    {
        string? news;
        lock (_gate)
        {
            if (ReferenceEquals(place, _last))
                return;
            _last = place;
            if (_osLoggedIn)
            {
                if (_rootSeen || !IsRoot(place))
                    return;
                _rootSeen = true;
                news = place.Kind == DiskPlaceKind.File ? place.ToString() : place.Partition is { } partition ? $"partition {partition.Number} ({place.FileSystem ?? "file system not known"})" : place.FileSystem!;
            }
            else
            {
                news = place.Kind is DiskPlaceKind.PartitionTable or DiskPlaceKind.NoPartitionTable or DiskPlaceKind.File && _files.Count < MaxFiles && _files.Add(place.ToString())
                    ? place.ToString()
                    : null;
            }
        }
        if (news is null)
            return;
        var facts = new Dictionary<string, string> { ["place"] = news };
        if (place.Path is not null)
            facts["file"] = place.Path;
        _observe(StageOf(place), $"reads {news}", facts);
    }

    private BootStage StageOf(DiskPlace place) => place switch
    {
        _ when _osLoggedIn => BootStage.Root,
        { Kind: DiskPlaceKind.PartitionTable } => BootStage.Partition,
        { Path: { } path } when IsKernel(path) => BootStage.Kernel,
        { Path: not null } => BootStage.Loader,
        _ => BootStage.Partition,
    };

    // A partition whose file system is not known here (XFS, LVM, LUKS) holds the root as well as any.
    private static bool IsRoot(DiskPlace place) =>
        place is { Partition: not null } or { FileSystem: not null } && place.Kind != DiskPlaceKind.PartitionTable && place.FileSystem != "vfat";

    private static bool IsKernel(string path)
    {
        var name = path[(path.LastIndexOf('/') + 1)..];
        return name.StartsWith("vmlinuz", StringComparison.OrdinalIgnoreCase)
            || name.StartsWith("vmlinux", StringComparison.OrdinalIgnoreCase)
            || name.StartsWith("initr", StringComparison.OrdinalIgnoreCase)
            || name.StartsWith("linux", StringComparison.OrdinalIgnoreCase)
            || name is "Image" or "bzImage" or "kernel.img";
    }
}
