package io.mixt5.kernels.emulator.machine;

import io.mixt5.kernels.emulator.Fault;
import io.mixt5.kernels.emulator.Launch;
import io.mixt5.kernels.emulator.Monitor;
import io.mixt5.kernels.emulator.WarpView;

/**
 * 32 threads: their registers and where each of them stands.
 *
 * <p>Lanes at the same place form a group. The group furthest back runs until it meets the next one, and they go on
 * together. Groups that wait at a {@link WarpSync} or a {@link Barrier} are set aside.
 */
public final class Warp implements WarpView {
    /** 32-bit registers, raw bits; 16-bit ones live in them with zeros above. First index the register, then the lane. */
    public final int[][] ints;
    /** 64-bit registers. */
    public final long[][] longs;
    /** Predicates, a mask of lanes each. */
    public final int[] predicates;
    /** The block's memories, and scratch space of accesses. */
    public final WarpMemory memory;
    /** Room for what lanes give each other at a {@link WarpSync}: the value of each lane. */
    public final long[] exchange = new long[Lanes.COUNT];
    /** Room for predicates that lanes give each other. */
    public int votes;
    /** Carry or borrow of each lane, as add.cc and its like leave it. */
    public int carries;
    /** Where the running group stands. */
    public int pc;

    final ThreadBlock block;
    final Monitor monitor;
    int live;

    private final Program program;
    private final int index;
    private final int[] groupPc = new int[Lanes.COUNT];
    private final int[] groupMask = new int[Lanes.COUNT];
    private int groups;
    private int lastStart;
    private final WarpSync[] parkedAt = new WarpSync[Lanes.COUNT];
    private final int[] parkedNext = new int[Lanes.COUNT];
    private final int[] parkedMask = new int[Lanes.COUNT];
    private final int[] parkedMembers = new int[Lanes.COUNT];
    private int parked;

    Warp(ThreadBlock block, Program program, int index, Monitor monitor) {
        this.block = block;
        this.program = program;
        this.index = index;
        this.monitor = monitor;
        this.ints = program.newInts();
        this.longs = program.newLongs();
        this.predicates = program.newPredicates();
        this.memory = new WarpMemory(this, program.sizes.localBytes());
    }

    /** Sets the warp to the kernel's start. */
    void start(Launch launch, boolean newLaunch) {
        live = Lanes.first(Math.min(Lanes.COUNT, launch.threads() - Lanes.COUNT * index));
        groups = 0;
        parked = 0;
        lastStart = -1;
        put(0, live);
        for (Program.Special special : program.specials) {
            if (newLaunch || special.what().ofBlock()) {
                int[] lanes = ints[special.register()];
                for (int lane = 0; lane < Lanes.COUNT; lane++) {
                    lanes[lane] = special.what().value(launch, block.block(), index, lane,
                            program.sizes.sharedBytes());
                }
            }
        }
        memory.start();
    }

    @Override
    public Launch launch() {
        return block.launch();
    }

    @Override
    public long block() {
        return block.block();
    }

    @Override
    public int index() {
        return index;
    }

    @Override
    public int live() {
        return live;
    }

    /** The watcher; null where nobody watches. */
    public Monitor monitor() {
        return monitor;
    }

    /** A number that grows with every call in the block. */
    public long clock() {
        return block.tick();
    }

    /** Whether a group can run. */
    boolean runnable() {
        return groups > 0;
    }

    /** Lets lanes go on at {@code at}. */
    void put(int at, int mask) {
        groupPc[groups] = at;
        groupMask[groups++] = mask;
    }

    /** Sets lanes of a predicate register. */
    public void setPredicate(int register, int mask, int value) {
        predicates[register] = predicates[register] & ~mask | value & mask;
    }

    /** Mask of the lanes in {@code mask} that hold {@code value}. */
    public static int equal(int[] lanes, int value, int mask) {
        int same = 0;
        for (int m = mask; m != 0; m &= m - 1) {
            int lane = Integer.numberOfTrailingZeros(m);
            same |= lanes[lane] == value ? 1 << lane : 0;
        }
        return same;
    }

    /** Whether all lanes in {@code mask} hold {@code value}. */
    static boolean allEqual(int[] lanes, int value, int mask) {
        if (mask == -1) {
            int different = 0;
            for (int lane = 0; lane < Lanes.COUNT; lane++) {
                different |= lanes[lane] ^ value;
            }
            return different == 0;
        }
        return equal(lanes, value, mask) == mask;
    }

    /**
     * Runs until all lanes have exited or wait, or some {@code slice} instructions are executed.
     *
     * @return instructions executed
     */
    long run(long slice) {
        long executed = 0;
        while (groups > 0 && executed < slice) {
            int chosen = choose();
            pc = groupPc[chosen];
            int mask = takeAll(pc);
            int limit = Integer.MAX_VALUE;
            for (int g = 0; g < groups; g++) {
                limit = groupPc[g] > pc ? Math.min(limit, groupPc[g]) : limit;
            }
            lastStart = -1;
            executed += runGroup(mask, limit, slice - executed);
        }
        return executed;
    }

    /** The group furthest back, unless it has just used up its slice: then the others get a turn. */
    private int choose() {
        int chosen = -1;
        for (int g = 0; g < groups; g++) {
            if (groupPc[g] != lastStart && (chosen < 0 || groupPc[g] < groupPc[chosen])) {
                chosen = g;
            }
        }
        return Math.max(chosen, 0);
    }

    /** Takes the groups that stand at {@code at}, as one. */
    private int takeAll(int at) {
        int mask = 0;
        for (int g = groups - 1; g >= 0; g--) {
            if (groupPc[g] == at) {
                mask |= groupMask[g];
                groups--;
                groupPc[g] = groupPc[groups];
                groupMask[g] = groupMask[groups];
            }
        }
        return mask;
    }

    private long runGroup(int mask, int limit, long slice) {
        Instruction[] code = program.code;
        int[] nextFlow = program.nextFlow;
        long executed = 0;
        while (true) {
            int from = pc;
            int end = Math.min(nextFlow[from], limit);
            if (monitor == null) {
                for (int i = from; i < end; i++) {
                    code[i].execute(this, mask);
                }
            } else {
                runWatched(from, end, mask);
            }
            executed += end - from + 1;
            pc = end;
            if (end == limit) {
                put(end, mask);
                return executed;
            }
            if (executed >= slice) {
                lastStart = end;
                put(end, mask);
                return executed;
            }
            Flow flow = (Flow) code[end];
            if (monitor != null) {
                monitor.executed(this, flow.line, flow.opcode, flow.work, flow.allowed(this, mask));
            }
            if (!flow.step(this, mask)) {
                return executed;
            }
            if (pc >= limit) {
                put(pc, mask);
                return executed;
            }
        }
    }

    private void runWatched(int from, int end, int mask) {
        for (int i = from; i < end; i++) {
            Instruction instruction = program.code[i];
            monitor.executed(this, instruction.line, instruction.opcode, instruction.work,
                    instruction.allowed(this, mask));
            instruction.execute(this, mask);
        }
    }

    /** Ends lanes. */
    void exit(int mask) {
        live &= ~mask;
        if (parked > 0) {
            meet();
        }
    }

    /** Sets lanes aside until the others of {@code members} come. */
    void park(WarpSync at, int next, int mask, int members) {
        parkedAt[parked] = at;
        parkedNext[parked] = next;
        parkedMask[parked] = mask;
        parkedMembers[parked++] = members;
    }

    /** Lets go on whoever has met all the live lanes it waits for. */
    void meet() {
        for (int i = 0; i < parked; i++) {
            WarpSync at = parkedAt[i];
            int members = parkedMembers[i];
            int met = 0;
            for (int j = i; j < parked; j++) {
                met |= meets(j, at, members) ? parkedMask[j] : 0;
            }
            if (met == (members & live)) {
                release(at, members, met);
                i = -1;
            }
        }
    }

    private boolean meets(int place, WarpSync at, int members) {
        return parkedMembers[place] == members && parkedAt[place].meets(at);
    }

    private void release(WarpSync at, int members, int met) {
        int kept = 0;
        for (int j = 0; j < parked; j++) {
            if (meets(j, at, members)) {
                parkedAt[j].take(this, parkedMask[j], met);
                put(parkedNext[j], parkedMask[j]);
            } else {
                parkedAt[kept] = parkedAt[j];
                parkedNext[kept] = parkedNext[j];
                parkedMask[kept] = parkedMask[j];
                parkedMembers[kept++] = parkedMembers[j];
            }
        }
        parked = kept;
        if (monitor != null) {
            monitor.warpSynchronised(this, at.line, met);
        }
    }

    /** Has lanes wait at a barrier of the block. */
    void wait(Barrier at, int next, int mask, int barrier, int expected, int trues) {
        block.arrive(this, at, next, mask, barrier, expected, trues);
    }

    /** What a lane that waits in vain waits for; null where none is parked. */
    String stuck() {
        if (parked == 0) {
            return null;
        }
        int lane = Integer.numberOfTrailingZeros(parkedMask[0]);
        return where(parkedAt[0].line, lane) + ": " + parkedAt[0].opcode + " waits for lanes 0x"
                + Integer.toHexString(parkedMembers[0] & live & ~parkedMask[0]) + " that do not come";
    }

    /** A fault of one lane that is no matter of addresses. */
    public Fault failed(Instruction at, int lane, String message) {
        return new Fault(Fault.Kind.LAUNCH_FAILED, where(at.line, lane) + ": " + at.opcode + ": " + message);
    }
}
