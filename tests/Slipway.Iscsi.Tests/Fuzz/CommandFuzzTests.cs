using Slipway.Disks;
using Slipway.Iscsi.Pdu;
using Slipway.Iscsi.Target;
using Slipway.Tests.Fuzz;

namespace Slipway.Iscsi.Tests.Fuzz;

/// <summary>CDBs, and whole PDUs of every kind, through a connection that is logged in.</summary>
[Collection("Fuzz")]
public class CommandFuzzTests
{
    private const int Cdbs = 1_500_000;
    private const int Pdus = 500_000;
    private const int PerSite = 2_000;

    private static readonly byte[] Codes = KnownCodes();

    [Fact]
    public async Task Every_command_gets_one_answer()
    {
        var mutator = new Mutator(4);
        Peer? peer = null;
        var pdu = new byte[PduHeader.Size + 1024];
        await FuzzRun.ExecuteAsync(Cdbs, i =>
        {
            if (i % PerSite == 0)
            {
                peer?.Dispose();
                peer = new Peer();
            }
            var length = MakeCommand(mutator, pdu, peer!.CmdSN++, (uint)i);
            peer.Say(pdu.AsSpan(0, length));
            peer.AwaitAnswer((uint)i);
        });
        peer!.Dispose();
    }

    [Fact]
    public async Task Any_PDU_is_answered_rejected_or_the_end()
    {
        var mutator = new Mutator(5);
        Peer? peer = null;
        var seeds = Seeds();
        var input = new byte[1024];
        await FuzzRun.ExecuteAsync(Pdus, i =>
        {
            if (peer is null || peer.HasLeft || i % PerSite == 0)
            {
                peer?.Dispose();
                peer = new Peer();
            }
            var seed = seeds[mutator.Next(seeds.Length)];
            // Most go on where the last one ended: a stream that is out of step ends soon.
            var length = seed.Length;
            seed.CopyTo(input, 0);
            if (mutator.Next(64) == 0)
                length = mutator.Mutate(seed, seeds[mutator.Next(seeds.Length)], input);
            else
                input[new[] { 1, 8, 9, 16, 19, 20, 23, 31, 32, 33, 37, 39, 40, 43 }[mutator.Next(14)]] = mutator.NextByte();
            var header = new PduHeader(input);
            header.SequenceNumber = peer.CmdSN;
            if (!header.Immediate && header.Opcode != Opcode.DataOut)
                peer.CmdSN++;
            peer.Say(input.AsSpan(0, length));
        });
        peer!.Dispose();
    }

    /// <summary>One execution: a CDB, a byte for the direction, and data.</summary>
    public static Action<byte[], int> Target()
    {
        Peer? peer = null;
        var (pdu, execution) = (new byte[PduHeader.Size + 1024], 0u);
        return (input, length) =>
        {
            if (execution % PerSite == 0)
            {
                peer?.Dispose();
                peer = new Peer();
            }
            Array.Clear(pdu);
            var command = ScsiCommandPdu.Begin(pdu);
            (command.Final, command.CmdSN, command.InitiatorTaskTag) = (true, peer!.CmdSN++, execution++);
            input.AsSpan(0, Math.Min(length, 16)).CopyTo(command.Cdb);
            var data = input.AsSpan(Math.Min(length, 17), Math.Max(0, length - 17));
            var direction = length > 16 ? input[16] % 3 : 0;
            (command.Read, command.Write) = (direction == 1, direction == 2);
            command.ExpectedDataTransferLength = direction == 0 ? 0 : (uint)Math.Max(data.Length, 512);
            var size = direction == 2 ? Math.Max(data.Length, 512) : 0;
            if (direction == 2)
                data.CopyTo(pdu.AsSpan(PduHeader.Size));
            (pdu[6], pdu[7]) = ((byte)(size >> 8), (byte)size);
            peer.Say(pdu.AsSpan(0, PduHeader.Size + ((size + 3) & ~3)));
            peer.AwaitAnswer(execution - 1);
        };
    }

    public static byte[][] Corpus() =>
    [
        .. from code in Codes from direction in (byte[])[0, 1, 2] select (byte[])[code, .. new byte[15], direction, .. new byte[64]],
    ];

    /// <summary>The operation codes that the unit says it knows (SPC-4 §6.35.2): a command that is new is tried too.</summary>
    private static byte[] KnownCodes()
    {
        new Site().LogIn().SaysCommand(1, [0xA3, 0x0C, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0], read: 0x4000).Hears(Opcode.DataIn, out var list);
        return [.. list.Data[4..].Chunk(8).Select(command => command[0]).Distinct()];
    }

    private static int MakeCommand(Mutator mutator, byte[] bytes, uint cmdSN, uint tag)
    {
        var command = ScsiCommandPdu.Begin(bytes);
        command.Final = true;
        command.CmdSN = cmdSN;
        command.InitiatorTaskTag = tag;
        var cdb = command.Cdb;
        cdb[0] = mutator.Next(10) == 0 ? mutator.NextByte() : Codes[mutator.Next(Codes.Length)];
        // Small values reach further than uniform ones: most fields refuse what is large.
        for (var at = 1 + mutator.Next(3); at < 16; at += 1 + mutator.Next(5))
            cdb[at] = mutator.Next(8) == 0 ? mutator.NextByte() : (byte)mutator.Next(9);
        var size = mutator.Next(4) == 0 ? mutator.Next(1024) : 512 * mutator.Next(3);
        var direction = mutator.Next(3);
        command.Read = direction == 1;
        command.Write = direction == 2;
        if (direction == 0)
            return PduHeader.Size;
        command.ExpectedDataTransferLength = (uint)size;
        if (direction == 1)
            return PduHeader.Size;
        (bytes[6], bytes[7]) = ((byte)(size >> 8), (byte)size);
        var data = bytes.AsSpan(PduHeader.Size, (size + 3) & ~3);
        data.Clear();
        for (var at = mutator.Next(8); at < size; at += 1 + mutator.Next(64))
            data[at] = mutator.Next(3) == 0 ? mutator.NextByte() : (byte)mutator.Next(9);
        return PduHeader.Size + data.Length;
    }

    private static byte[][] Seeds()
    {
        var seeds = new List<byte[]>();
        foreach (byte opcode in (byte[])[0x00, 0x40, 0x01, 0x01, 0x41, 0x02, 0x42, 0x04, 0x05, 0x05, 0x10, 0x06])
        {
            var header = new byte[PduHeader.Size];
            header[0] = opcode;
            header[1] = (byte)(opcode is 1 or 0x41 ? 0xA1 : opcode == 0x02 ? 0x81 : 0x80);
            header[19] = 1;
            header.AsSpan(20, 4).Fill(0xFF);
            if (opcode is 1 or 0x41)
                (header[20], header[21], header[22], header[32], header[40]) = (0, 0, 8, 0x2A, 4);
            byte[] data = opcode switch
            {
                0x04 => ScriptedInitiator.Pairs("SendTargets= MaxRecvDataSegmentLength=512"),
                0x00 or 0x40 or 0x05 or 0x41 => new byte[64],
                _ => [],
            };
            header[7] = (byte)data.Length;
            seeds.Add([.. header, .. data, .. new byte[-data.Length & 3]]);
        }
        return [.. seeds];
    }

    /// <summary>A connection in the full feature phase, on a disk of its own; it looks at no more than it must.</summary>
    private sealed class Peer : IDisposable
    {
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
        private readonly ArraySegment<byte>[] _pieces = new ArraySegment<byte>[64];
        private readonly ManualResetEventSlim _woken = new();
        private readonly TargetConnection _connection;
        private readonly byte[] _head = new byte[PduHeader.Size];
        private int _statuses;
        private uint _lastTag;

        public Peer()
        {
            var site = new Site(disk: new MemoryDisk(64 * 1024));
            _connection = site.Node.Accept(Site.Portal, Site.Portal, _woken.Set);
            var login = new byte[PduHeader.Size];
            var request = LoginRequestPdu.Begin(login);
            (request.Transit, request.CurrentStage, request.NextStage) = (true, LoginStage.OperationalNegotiation, LoginStage.FullFeaturePhase);
            login[0] |= 0x40;
            var names = ScriptedInitiator.Pairs(ScriptedInitiator.Names + " InitialR2T=No MaxRecvDataSegmentLength=262144");
            login[7] = (byte)names.Length;
            Say([.. login, .. names, .. new byte[-names.Length & 3]]);
        }

        public uint CmdSN { get; set; }

        public bool HasLeft => _connection.ShouldClose;

        public void Say(ReadOnlySpan<byte> bytes)
        {
            _statuses = 0;
            while (bytes.Length > 0 && !HasLeft)
            {
                bytes = bytes[_connection.Receive(bytes)..];
                Hear();
            }
            if (_connection.Fault is { } fault)
                throw new InvalidOperationException("the logical unit threw", fault);
        }

        public void AwaitAnswer(uint tag)
        {
            while (_statuses == 0)
            {
                if (HasLeft || !_woken.Wait(Patience))
                    throw new InvalidOperationException($"no answer; {_connection.EndReason}");
                _woken.Reset();
                _connection.Run();
                Hear();
            }
            if (_statuses != 1 || _lastTag != tag)
                throw new InvalidOperationException($"{_statuses} answers, the last for {_lastTag}, to command {tag}");
        }

        public void Dispose()
        {
            _connection.TransportClosed("over");
            while (!_connection.HasEnded)
            {
                if (!_woken.Wait(Patience))
                    throw new InvalidOperationException("something of the connection is left");
                _woken.Reset();
                _connection.Run();
            }
            _woken.Dispose();
        }

        /// <summary>Reads headers, which are never divided between pieces, and passes over data, which may be.</summary>
        private void Hear()
        {
            var skip = 0L;
            while (_connection.Output.Peek(_pieces) is > 0 and var count)
            {
                var sent = 0L;
                for (var i = 0; i < count; i++)
                {
                    var piece = _pieces[i].AsSpan();
                    sent += piece.Length;
                    while (piece.Length > skip)
                    {
                        piece = piece[(int)skip..];
                        piece[..PduHeader.Size].CopyTo(_head);
                        piece = piece[PduHeader.Size..];
                        var header = new PduHeader(_head);
                        skip = (header.DataSegmentLength + 3) & ~3;
                        if (header.Opcode is Opcode.ScsiResponse or Opcode.Reject || (header.Opcode == Opcode.DataIn && (_head[1] & 1) != 0))
                            (_statuses, _lastTag) = (_statuses + 1, header.InitiatorTaskTag);
                    }
                    skip -= piece.Length;
                }
                _connection.Sent(sent);
            }
        }
    }
}
