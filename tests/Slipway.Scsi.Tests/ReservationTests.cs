using System.Buffers.Binary;
using System.Text;
using Slipway.Disks;
using Slipway.Scsi.Reservations;

namespace Slipway.Scsi.Tests;

public class ReservationTests
{
    private const string Read = "28 00 00 00 00 00 00 00 01 00";
    private const string Write = "2A 00 00 00 00 00 00 00 01 00";
    private const byte Register = 0, Reserve = 1, Release = 2, Clear = 3, Preempt = 4, PreemptAndAbort = 5, Ignore = 6;

    private readonly TargetDevice _target = new("iqn.2026-01.test:target");
    private readonly Store _store = new();
    private readonly Initiator _holder;
    private readonly Initiator _registered;
    private readonly Initiator _stranger;

    public ReservationTests()
    {
        _target.Attach(0, new DiskUnit(new MemoryDisk(1 << 20), new UnitIdentity("volume"), reservations: _store));
        _holder = new Initiator(_target, "iqn.2026-01.test:a,i,0x000000000001");
        _registered = new Initiator(_target, "iqn.2026-01.test:b,i,0x000000000002");
        _stranger = new Initiator(_target, "iqn.2026-01.test:c,i,0x000000000003");
        Out(_holder, Register, 0, 0xA).Good();
        Out(_registered, Register, 0, 0xB).Good();
    }

    // SPC-4 §5.12.1: who reads and who writes, beside the holder.
    [Theory]
    [InlineData(ReservationType.WriteExclusive, true, false, true, false)]
    [InlineData(ReservationType.ExclusiveAccess, false, false, false, false)]
    [InlineData(ReservationType.WriteExclusiveRegistrantsOnly, true, true, true, false)]
    [InlineData(ReservationType.ExclusiveAccessRegistrantsOnly, true, true, false, false)]
    [InlineData(ReservationType.WriteExclusiveAllRegistrants, true, true, true, false)]
    [InlineData(ReservationType.ExclusiveAccessAllRegistrants, true, true, false, false)]
    public void A_type_admits_whom_it_says(
        ReservationType type, bool registeredReads, bool registeredWrites, bool strangerReads, bool strangerWrites)
    {
        Out(_holder, Reserve, 0xA, 0, type).Good();
        Assert.Equal(
            (true, true, registeredReads, registeredWrites, strangerReads, strangerWrites),
            (Passes(_holder, Read), Passes(_holder, Write), Passes(_registered, Read), Passes(_registered, Write),
                Passes(_stranger, Read), Passes(_stranger, Write)));
        Assert.True(Passes(_stranger, "12 00 00 00 FF 00"));
        Assert.True(Passes(_stranger, "00 00 00 00 00 00"));
        Assert.True(Passes(_stranger, "1B 00 00 00 01 00"));
        Assert.False(Passes(_stranger, "1B 00 00 00 00 00"));

        Out(_holder, Release, 0xA, 0, type).Good();
        Heard(_registered, type is ReservationType.WriteExclusive or ReservationType.ExclusiveAccess ? null : SenseCode.ReservationsReleased);
        Assert.True(Passes(_stranger, Write));
    }

    /// <summary>SPC-4 §5.12.1, SBC-3 table 13: what of another nexus a reservation stops, write exclusive and exclusive access.</summary>
    [Theory]
    [InlineData("COMPARE AND WRITE", "89 00 0000000000000000 000000 00 00 00", true, true)]
    [InlineData("EXTENDED COPY(LID1)", "83 00 00000000 00000000 00000000 00 00", true, true)]
    [InlineData("FORMAT UNIT", "04 00 00 00 00 00", true, true)]
    [InlineData("GET LBA STATUS", "9E 12 0000000000000000 00000100 00 00", false, true)]
    [InlineData("INQUIRY", "12 00 00 00 FF 00", false, false)]
    [InlineData("LOG SENSE", "4D 00 40 00 00 00 00 00 FF 00", false, false)]
    [InlineData("MODE SELECT(6)", "15 10 00 00 00 00", true, true)]
    [InlineData("MODE SELECT(10)", "55 10 00 00 00 00 00 00 00 00", true, true)]
    [InlineData("MODE SENSE(6)", "1A 00 3F 00 FF 00", false, true)]
    [InlineData("MODE SENSE(10)", "5A 00 3F 00 00 00 00 00 FF 00", false, true)]
    [InlineData("ORWRITE(16)", "8B 00 0000000000000000 00000000 00 00", true, true)]
    [InlineData("PERSISTENT RESERVE IN", "5E 00 00 00 00 00 00 00 FF 00", false, false)]
    [InlineData("PRE-FETCH(10)", "34 00 00000000 00 0001 00", false, true)]
    [InlineData("PREVENT ALLOW MEDIUM REMOVAL, allow", "1E 00 00 00 00 00", false, false)]
    [InlineData("PREVENT ALLOW MEDIUM REMOVAL, prevent", "1E 00 00 00 01 00", true, true)]
    [InlineData("READ(16)", "88 00 0000000000000000 00000001 00 00", false, true)]
    [InlineData("READ CAPACITY(10)", "25 00 00000000 00 00 00 00", false, false)]
    [InlineData("READ CAPACITY(16)", "9E 10 0000000000000000 00000020 00 00", false, false)]
    [InlineData("READ DEFECT DATA(10)", "37 00 00 00 00 00 00 00 FF 00", false, true)]
    [InlineData("RECEIVE COPY OPERATING PARAMETERS", "84 03 0000000000000000 00000100 00 00", false, false)]
    [InlineData("RECEIVE DIAGNOSTIC RESULTS", "1C 01 00 00 FF 00", false, true)]
    [InlineData("SEND DIAGNOSTIC", "1D 04 00 00 00 00", true, true)]
    [InlineData("REPORT LUNS", "A0 00 00 00 00 00 00000100 00 00", false, false)]
    [InlineData("REPORT SUPPORTED OPERATION CODES", "A3 0C 00 00 0000 00000100 00 00", false, true)]
    [InlineData("REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS", "A3 0D 00 00 0000 00000100 00 00", false, true)]
    [InlineData("REPORT TARGET PORT GROUPS", "A3 0A 00 00 0000 00000100 00 00", false, false)]
    [InlineData("REQUEST SENSE", "03 00 00 00 FC 00", false, false)]
    [InlineData("SANITIZE, EXIT FAILURE MODE", "48 1F 00 00 00 00 00 00 00 00", true, true)]
    [InlineData("START STOP UNIT, start", "1B 00 00 00 01 00", false, false)]
    [InlineData("START STOP UNIT, stop", "1B 00 00 00 00 00", true, true)]
    [InlineData("START STOP UNIT, standby", "1B 00 00 00 31 00", true, true)]
    [InlineData("SYNCHRONIZE CACHE(10)", "35 00 00000000 00 0000 00", true, true)]
    [InlineData("TEST UNIT READY", "00 00 00 00 00 00", false, false)]
    [InlineData("UNMAP", "42 00 00 00 00 00 00 0000 00", true, true)]
    [InlineData("VERIFY(10)", "2F 00 00000000 00 0001 00", false, true)]
    [InlineData("WRITE(6)", "0A 00 00 00 01 00", true, true)]
    [InlineData("WRITE AND VERIFY(10)", "2E 00 00000000 00 0001 00", true, true)]
    [InlineData("WRITE SAME(16)", "93 01 0000000000000000 00000001 00 00", true, true)]
    public void A_reservation_stops_what_the_tables_say(string command, string cdb, bool underWriteExclusive, bool underExclusiveAccess)
    {
        foreach (var (type, conflicts) in (ReadOnlySpan<(ReservationType, bool)>)
            [(ReservationType.WriteExclusive, underWriteExclusive), (ReservationType.ExclusiveAccess, underExclusiveAccess),
                (ReservationType.WriteExclusiveRegistrantsOnly, underWriteExclusive), (ReservationType.ExclusiveAccessAllRegistrants, underExclusiveAccess)])
        {
            Out(_holder, Reserve, 0xA, 0, type).Good();
            Assert.True(conflicts == (_stranger.Send(cdb, new byte[512]).Status == ScsiStatus.ReservationConflict), $"{command} under {type}");
            if (type is not (ReservationType.WriteExclusive or ReservationType.ExclusiveAccess))
                Assert.True(_registered.Send(cdb, new byte[512]).Status != ScsiStatus.ReservationConflict, $"{command} of a registrant under {type}");
            Out(_holder, Release, 0xA, 0, type).Good();
            _registered.Send("00 00 00 00 00 00");
        }
    }

    [Fact]
    public void Keys_are_checked()
    {
        Conflicts(Out(_holder, Reserve, 0xB, 0, ReservationType.WriteExclusive));
        Conflicts(Out(_stranger, Reserve, 0, 0, ReservationType.WriteExclusive));
        Conflicts(Out(_stranger, Register, 0xC, 0xD));
        Conflicts(Out(_holder, Register, 0, 0xD));
        Conflicts(Out(_stranger, Clear, 0, 0));
        Out(_stranger, Ignore, 0x77, 0xC).Good();
        Assert.Equal([0xA, 0xB, 0xC], Keys());
        Out(_stranger, Register, 0xC, 0).Good();
        Assert.Equal([0xA, 0xB], Keys());
    }

    [Fact]
    public void Only_its_holder_changes_a_reservation_and_only_by_releasing_it_as_it_is()
    {
        Out(_holder, Reserve, 0xA, 0, ReservationType.ExclusiveAccess).Good();
        Out(_holder, Reserve, 0xA, 0, ReservationType.ExclusiveAccess).Good();
        Conflicts(Out(_holder, Reserve, 0xA, 0, ReservationType.WriteExclusive));
        Conflicts(Out(_registered, Reserve, 0xB, 0, ReservationType.ExclusiveAccess));
        Out(_registered, Release, 0xB, 0, ReservationType.ExclusiveAccess).Good();
        Out(_holder, Release, 0xA, 0, ReservationType.WriteExclusive).Refused(SenseCode.InvalidReleaseOfPersistentReservation);
        Assert.Equal(Initiator.Hex("00000002 00000010 000000000000000A 00000000 00 03 0000"), In(1));
    }

    [Fact]
    public void Registrations_and_reservations_outlive_the_session_and_a_reset()
    {
        Out(_holder, Reserve, 0xA, 0, ReservationType.ExclusiveAccess).Good();
        _holder.Close();
        _registered.Manage(TaskManagementFunction.LogicalUnitReset);
        Heard(_stranger, SenseCode.BusDeviceResetFunctionOccurred);
        Heard(_registered, SenseCode.BusDeviceResetFunctionOccurred);
        Assert.False(Passes(_registered, Read));
        Assert.True(Passes(new Initiator(_target, _holder.Nexus.InitiatorPort), Read));
        Assert.False(Passes(new Initiator(_target, _holder.Nexus.InitiatorPort, port: 2), Read));
    }

    [Theory]
    [InlineData(Preempt)]
    [InlineData(PreemptAndAbort)]
    public void Preempting_takes_the_reservation_and_the_key(byte action)
    {
        Out(_holder, Reserve, 0xA, 0, ReservationType.WriteExclusive).Good();
        Out(_registered, action, 0xB, 0xA, ReservationType.ExclusiveAccess).Good();
        Heard(_holder, SenseCode.RegistrationsPreempted);
        Assert.False(Passes(_holder, Read));
        Assert.True(Passes(_registered, Write));
        Assert.Equal([0xB], Keys());
        Conflicts(Out(_holder, action, 0xA, 0xB, ReservationType.ExclusiveAccess));
    }

    [Fact]
    public void Preempting_another_key_removes_the_registration_alone()
    {
        Out(_stranger, Register, 0, 0xC).Good();
        Out(_holder, Reserve, 0xA, 0, ReservationType.WriteExclusive).Good();
        Out(_registered, Preempt, 0xB, 0xC, ReservationType.WriteExclusive).Good();
        Heard(_stranger, SenseCode.RegistrationsPreempted);
        Assert.Equal([0xA, 0xB], Keys());
        Assert.False(Passes(_registered, Write));
        Conflicts(Out(_registered, Preempt, 0xB, 0xDD, ReservationType.WriteExclusive));
        Out(_registered, Preempt, 0xB, 0, ReservationType.WriteExclusive).Refused(SenseCode.InvalidFieldInParameterList);
    }

    [Fact]
    public void Preempting_all_registrants_needs_a_key_of_zero()
    {
        Out(_holder, Reserve, 0xA, 0, ReservationType.ExclusiveAccessAllRegistrants).Good();
        Assert.Equal(0, In(1)[8..16].Max());
        Out(_registered, Preempt, 0xB, 0, ReservationType.WriteExclusive).Good();
        Assert.Equal([0xB], Keys());
        Assert.Equal(0xB, In(1)[15]);
        Heard(_holder, SenseCode.RegistrationsPreempted);
    }

    [Fact]
    public void Clearing_removes_everything_and_tells_everyone()
    {
        Out(_holder, Reserve, 0xA, 0, ReservationType.ExclusiveAccess).Good();
        Out(_registered, Clear, 0xB, 0).Good();
        Heard(_holder, SenseCode.ReservationsPreempted);
        Assert.Empty(Keys());
        Assert.True(Passes(_stranger, Write));
    }

    [Theory]
    [InlineData("iqn.2026-01.test:c,i,0x00000000000C", true)]
    [InlineData("iqn.2026-01.test:c,i,0x00000000000c", true)]
    [InlineData("iqn.2026-01.test:c,i,0xC", true)]
    [InlineData("iqn.2026-01.test:c,i,0x", false)]
    [InlineData("iqn.2026-01.test:c,i,0x1000000000000", false)]
    [InlineData("iqn.2026-01.test:c,i,0xport", false)]
    [InlineData("iqn.2026-01.test:c", false)]
    public void A_reservation_moves_with_its_registration_to_a_port_however_its_ISID_is_written(string port, bool isPort)
    {
        Out(_holder, Reserve, 0xA, 0, ReservationType.ExclusiveAccess).Good();
        var answer = _holder.Send($"5F 07 03 00 00 00 00 00 {Move(port).Length:X2} 00", Move(port));
        if (isPort)
            Assert.True(Passes(new Initiator(_target, "iqn.2026-01.test:c,i,0x00000000000c"), Write));
        else
            Assert.Equal(24, answer.Refused(SenseCode.InvalidFieldInParameterList).Field);
        Assert.Equal(isPort, _holder.Send(Read).Status == ScsiStatus.ReservationConflict);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void A_reservation_does_not_move_to_a_target_port_that_does_not_exist(byte targetPort)
    {
        Out(_holder, Reserve, 0xA, 0, ReservationType.ExclusiveAccess).Good();
        var list = Move(_stranger.Nexus.InitiatorPort);
        list[19] = targetPort;
        Assert.Equal(18, _holder.Send($"5F 07 03 00 00 00 00 00 {list.Length:X2} 00", list).Refused(SenseCode.InvalidFieldInParameterList).Field);
        Assert.True(Passes(_holder, Write));
    }

    [Fact]
    public void Other_initiator_ports_cannot_be_registered()
    {
        // SPC-4 §6.16.3: SPEC_I_PT, with a TransportID; REPORT CAPABILITIES says that it is not supported.
        var list = new byte[24 + 4 + 24];
        Parameters(0xA, 0x1A).CopyTo(list, 0);
        (list[20], list[27], list[28], list[31]) = (0x08, 24, 0x45, 20);
        Assert.Equal(20, _holder.Send($"5F 00 00 00 00 00 00 00 {list.Length:X2} 00", list).Refused(SenseCode.InvalidFieldInParameterList).Field);
        _holder.Send("5F 00 00 00 00 00 00 00 19 00", (byte[])[.. Parameters(0xA, 0x1A), 0]).Refused(SenseCode.ParameterListLengthError);
        Assert.Equal([0xA, 0xB], Keys());
    }

    [Fact]
    public void A_registration_that_cannot_be_kept_is_a_write_error_and_none()
    {
        _store.Fails = true;
        var list = Parameters(0, 0xC);
        list[20] = 1;
        _stranger.Send("5F 00 00 00 00 00 00 00 18 00", list).Refused(SenseCode.WriteError);
        Assert.Equal([0xA, 0xB], Keys());
    }

    [Fact]
    public void The_scope_counts_where_something_is_reserved_and_nowhere_else()
    {
        // SPC-4 §6.16.2: SCOPE and TYPE are ignored by REGISTER, REGISTER AND IGNORE EXISTING KEY and CLEAR.
        foreach (var (action, key) in (ReadOnlySpan<(byte, ulong)>)[(Register, 0xA), (Ignore, 0xA)])
            _holder.Send($"5F {action:X2} 1F 00 00 00 00 00 18 00", Parameters(key, 0xA)).Good();
        _holder.Send("5F 01 11 00 00 00 00 00 18 00", Parameters(0xA, 0)).Refused(SenseCode.InvalidFieldInCdb);
        _holder.Send("5F 03 1F 00 00 00 00 00 18 00", Parameters(0xA, 0)).Good();
    }

    [Fact]
    public void A_reservation_moves_with_its_registration()
    {
        Out(_holder, Reserve, 0xA, 0, ReservationType.ExclusiveAccess).Good();
        var list = Move(_stranger.Nexus.InitiatorPort);
        _holder.Send($"5F 07 03 00 00 00 00 00 {list.Length:X2} 00", list).Good();
        Assert.True(Passes(_stranger, Write));
        Assert.False(Passes(_holder, Read));
        Assert.Equal([0xB, 0xC], Keys());

        var full = In(3);
        Assert.Equal(full.Length - 8, BinaryPrimitives.ReadInt32BigEndian(full.AsSpan(4)));
        Assert.Contains(_stranger.Nexus.InitiatorPort, Encoding.ASCII.GetString(full), StringComparison.Ordinal);
        Conflicts(_registered.Send($"5F 07 03 00 00 00 00 00 {list.Length:X2} 00", list));
    }

    [Fact]
    public void What_was_registered_to_survive_does()
    {
        var list = Parameters(0xA, 0x1A);
        list[20] = 1;
        _holder.Send("5F 00 00 00 00 00 00 00 18 00", list).Good();
        Out(_holder, Reserve, 0x1A, 0, ReservationType.ExclusiveAccess).Good();

        var restarted = new TargetDevice("iqn.2026-01.test:target");
        restarted.Attach(0, new DiskUnit(new MemoryDisk(1 << 20), new UnitIdentity("volume"), reservations: _store));
        Assert.False(Passes(new Initiator(restarted, _registered.Nexus.InitiatorPort), Read));
        Assert.True(Passes(new Initiator(restarted, _holder.Nexus.InitiatorPort), Read));

        Out(_holder, Register, 0x1A, 0xA).Good();
        Assert.Empty(_store.Load()!.Registrations);
        list = Parameters(0, 1);
        list[20] = 1;
        Initiator.Of(new MemoryDisk(1 << 20)).Send("5F 00 00 00 00 00 00 00 18 00", list).Refused(SenseCode.InvalidFieldInParameterList);
    }

    [Fact]
    public void Fields_that_are_not_supported_are_refused_before_anything_happens()
    {
        _holder.Send("5F 01 13 00 00 00 00 00 18 00", Parameters(0xA, 0)).Refused(SenseCode.InvalidFieldInCdb);
        Out(_holder, Reserve, 0xA, 0, (ReservationType)2).Refused(SenseCode.InvalidFieldInCdb);
        _holder.Send("5F 00 00 00 00 00 00 00 10 00", new byte[16]).Refused(SenseCode.ParameterListLengthError);
        _holder.Send("5F 00 00 00 00 00 00 00 18 00", new byte[16]).Refused(SenseCode.ParameterListLengthError);
        var list = Parameters(0xA, 0xC);
        list[20] = 0x08;
        Assert.Equal(20, _holder.Send("5F 00 00 00 00 00 00 00 18 00", list).Refused(SenseCode.InvalidFieldInParameterList).Field);
        _holder.Send("5E 04 00 00 00 00 00 00 18 00").Refused(SenseCode.InvalidFieldInCdb);
        Assert.Equal(Initiator.Hex("0008 05 80 EA01 0000"), In(2));
        Assert.Equal([0xA, 0xB], Keys());
    }

    [Fact]
    public void What_is_for_registering_only_is_not_looked_at_elsewhere()
    {
        // SPC-4 §6.16.3: ALL_TG_PT and APTPL; SPEC_I_PT is wrong anywhere here.
        var initiator = Initiator.Of(new MemoryDisk(1 << 20));
        Out(initiator, Register, 0, 0xA).Good();
        var list = Parameters(0xA, 0);
        list[20] = 0x05;
        initiator.Send("5F 01 03 00 00 00 00 00 18 00", list).Good();
        list[20] = 0x08;
        initiator.Send("5F 02 03 00 00 00 00 00 18 00", list).Refused(SenseCode.InvalidFieldInParameterList);
    }

    [Theory]
    [InlineData(Register)]
    [InlineData(Ignore)]
    public void A_registration_for_all_target_ports_is_one_by_each_of_them(byte action)
    {
        // SPC-4 §6.16.3: ALL_TG_PT.
        var target = new TargetDevice("iqn.2026-01.test:target", ports: 3);
        target.Attach(0, new DiskUnit(new MemoryDisk(1 << 20), new UnitIdentity("volume")));
        var (one, two, three) = (By(1), By(2), By(3));
        var other = new Initiator(target, "iqn.2026-01.test:b,i,0x000000000002", 2);
        Out(other, Register, 0, 0xB).Good();
        Out(two, Register, 0, 0xA).Good();

        // Who is not registered takes nobody's registration away.
        Everywhere(one, 0, 0).Good();
        Assert.Equal([0xB, 0xA], Keys(other));
        Everywhere(one, 0, 0x1A).Good();
        Assert.Equal([0xB, 0x1A, 0x1A, 0x1A], Keys(other));
        Out(three, Reserve, 0x1A, 0, ReservationType.ExclusiveAccess).Good();
        Assert.False(Passes(other, Read));
        // Who holds it is a nexus, and no key.
        Assert.False(Passes(one, Read));
        Assert.True(Passes(three, Read));

        // The sender's key counts, and a new one goes to every port.
        if (action == Register)
            Conflicts(Everywhere(one, 0, 0x2A));
        Everywhere(one, 0x1A, 0x2A).Good();
        Assert.Equal([0xB, 0x2A, 0x2A, 0x2A], Keys(other));
        Assert.True(Passes(three, Read));

        // The holder's registration goes with the others, and the reservation with it.
        Everywhere(one, 0x2A, 0).Good();
        Assert.Equal([0xB], Keys(other));
        Assert.True(Passes(other, Write));

        Initiator By(ushort port) => new(target, "iqn.2026-01.test:a,i,0x000000000001", port);

        Answer Everywhere(Initiator initiator, ulong key, ulong actionKey)
        {
            var list = Parameters(key, actionKey);
            list[20] = 0x04;
            return initiator.Send($"5F {action:X2} 00 00 00 00 00 00 18 00", list);
        }
    }

    [Fact]
    public void While_a_unit_is_reserved_persistent_reservations_conflict_for_its_holder_too()
    {
        // SPC-2 §5.5.1.
        var initiator = Initiator.Of(new MemoryDisk(1 << 20));
        initiator.Send("16 00 00 00 00 00").Good();
        Conflicts(Out(initiator, Register, 0, 0xA));
        Conflicts(initiator.Send("5E 00 00 00 00 00 00 01 00 00"));
        initiator.Send("17 00 00 00 00 00").Good();
        Out(initiator, Register, 0, 0xA).Good();
        Conflicts(initiator.Send("16 00 00 00 00 00"));
    }

    [Fact]
    public void Reserve_keeps_the_others_out_until_it_is_released_or_its_nexus_is_lost()
    {
        var target = new TargetDevice("iqn.2026-01.test:other");
        target.Attach(0, new DiskUnit(new MemoryDisk(1 << 20), new UnitIdentity("volume")));
        var (one, two) = (new Initiator(target, "one"), new Initiator(target, "two"));
        foreach (var (end, attention) in new (Action End, SenseCode? News)[]
        {
            (() => one.Send("17 00 00 00 00 00").Good(), null),
            (() => two.Manage(TaskManagementFunction.LogicalUnitReset), SenseCode.BusDeviceResetFunctionOccurred),
            (one.Close, null),
        })
        {
            one.Send("16 00 00 00 00 00").Good();
            one.Send("16 00 00 00 00 00").Good();
            Conflicts(two.Send("16 00 00 00 00 00"));
            Conflicts(two.Send("00 00 00 00 00 00"));
            Conflicts(two.Send(Read));
            two.Send("17 00 00 00 00 00").Good();
            Conflicts(two.Send("00 00 00 00 00 00"));
            two.Send("12 00 00 00 FF 00").Good();
            end();
            Heard(one, attention);
            Heard(two, attention);
        }
    }

    /// <summary>
    /// SPC-4 §5.12.11.2.6: a write that was let in before and has not begun, and the rest of one that has, are not done after.
    /// </summary>
    [Theory]
    [InlineData("2A 00 00 00 00 00 00 00 01 00", 512)]
    [InlineData("2E 00 00 00 00 00 00 00 01 00", 512)]
    [InlineData("41 00 00 00 00 00 00 00 01 00", 512)]
    [InlineData("42 00 00 00 00 00 00 00 28 00", 40)]
    [InlineData("89 00 0000000000000000 000000 01 00 00", 1024)]
    [InlineData("8B 00 0000000000000000 00000001 00 00", 512)]
    [InlineData("9C 00 0000000000000000 0000 0001 00 00", 512)]
    public async Task Nothing_of_a_preempted_nexus_is_written_after_preempt_and_abort(string cdb, int length)
    {
        var disk = new ScriptedDisk(1 << 20);
        var target = new TargetDevice("iqn.2026-01.test:target");
        target.Attach(0, new DiskUnit(disk, new UnitIdentity("volume"), atomicWrites: new Kept()));
        var (victim, other) = (new Initiator(target, "iqn.2026-01.test:a,i,0x000000000001"), new Initiator(target, "iqn.2026-01.test:b,i,0x000000000002"));
        Out(victim, Register, 0, 0xA).Good();
        Out(other, Register, 0, 0xB).Good();
        other.Send("2A 00 00 00 00 00 00 00 02 00", Filled(1024)).Good();

        var opened = disk.Gate = new TaskCompletionSource();
        var before = other.SendAsync(Initiator.Hex("89 00 0000000000000000 000000 01 00 00"), Filled(1024));
        disk.Gate = null;
        var written = new byte[length];
        if (length == 40)
        {
            // UNMAP: block 1, and then block 0.
            (written[1], written[3], written[15], written[19], written[35]) = (38, 32, 1, 1, 1);
        }
        var late = victim.SendAsync(Initiator.Hex(cdb), written);
        var preempted = other.SendAsync(Initiator.Hex($"5F {PreemptAndAbort:X2} 00 00 00 00 00 00 18 00"), Parameters(0xB, 0xA));
        var reserved = other.SendAsync(Initiator.Hex($"5F {Reserve:X2} {(byte)ReservationType.ExclusiveAccess:X2} 00 00 00 00 00 18 00"), Parameters(0xB, 0));
        Assert.False(late.IsCompleted);
        opened.SetResult();
        (await before).Good();
        (await preempted).Good();
        (await reserved).Good();
        Conflicts(await late);
        Assert.Equal(1, other.Send(Read).Data[0]);
    }

    private static byte[] Filled(int length)
    {
        var data = new byte[length];
        Array.Fill(data, (byte)1);
        return data;
    }

    private sealed class Kept : AtomicWriting.IAtomicWriteStore
    {
        public ValueTask SaveAsync(AtomicWriting.AtomicWrite write) => default;

        public ValueTask ClearAsync() => default;
    }

    private static bool Passes(Initiator initiator, string cdb)
    {
        var answer = initiator.Send(cdb, new byte[512]);
        Assert.Contains(answer.Status, new[] { ScsiStatus.Good, ScsiStatus.ReservationConflict });
        return answer.Status == ScsiStatus.Good;
    }

    private static void Conflicts(Answer answer) => Assert.Equal(ScsiStatus.ReservationConflict, answer.Status);

    private static void Heard(Initiator initiator, SenseCode? news)
    {
        if (news is { } code)
            initiator.Send("00 00 00 00 00 00").Refused(code);
        initiator.Send("00 00 00 00 00 00").Good();
    }

    private static Answer Out(Initiator initiator, byte action, ulong key, ulong actionKey, ReservationType type = 0) =>
        initiator.Send($"5F {action:X2} {(byte)type:X2} 00 00 00 00 00 18 00", Parameters(key, actionKey));

    /// <summary>REGISTER AND MOVE of key Ah, which becomes Ch, with UNREG.</summary>
    private static byte[] Move(string port)
    {
        var name = Encoding.ASCII.GetBytes(port);
        var id = new byte[4 + (Math.Max(name.Length, 16) / 4 * 4) + 4];
        id[0] = 0x45;
        id[3] = (byte)(id.Length - 4);
        name.CopyTo(id, 4);
        var list = new byte[24 + id.Length];
        list[7] = 0xA;
        list[15] = 0xC;
        list[17] = 2;
        list[19] = 1;
        list[23] = (byte)id.Length;
        id.CopyTo(list, 24);
        return list;
    }

    private static byte[] Parameters(ulong key, ulong actionKey)
    {
        var list = new byte[24];
        BinaryPrimitives.WriteUInt64BigEndian(list, key);
        BinaryPrimitives.WriteUInt64BigEndian(list.AsSpan(8), actionKey);
        return list;
    }

    private byte[] In(byte action) => In(_registered, action);

    private static byte[] In(Initiator initiator, byte action) => initiator.Send($"5E {action:X2} 00 00 00 00 00 10 00 00").Good().Data;

    private int[] Keys() => Keys(_registered);

    private static int[] Keys(Initiator initiator)
    {
        var data = In(initiator, 0);
        return [.. data[8..].Chunk(8).Select(k => (int)BinaryPrimitives.ReadUInt64BigEndian(k))];
    }

    private sealed class Store : IReservationStore
    {
        private ReservationState? _saved;

        public bool Fails { get; set; }

        public ReservationState? Load() => _saved;

        public ValueTask SaveAsync(ReservationState state, CancellationToken cancellation)
        {
            if (Fails)
                throw new BlockDeviceException(BlockDeviceError.Io, "as the test wants");
            _saved = state;
            return default;
        }
    }
}
