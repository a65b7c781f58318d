package io.mixt5.kernels.emulator.sanitizer;

import io.mixt5.kernels.emulator.Fault;
import io.mixt5.kernels.emulator.Launch;
import io.mixt5.kernels.emulator.Monitor;
import io.mixt5.kernels.emulator.WarpView;
import java.util.Arrays;
import java.util.BitSet;
import java.util.TreeMap;

/**
 * Ends a launch by a {@link Fault} as soon as a kernel
 * <ul>
 * <li>reads a byte of device, shared or local memory that nothing has written;
 * <li>accesses a byte that another thread has accessed, one of them writing it, with nothing that orders the two: in
 * shared memory and within a block a {@code __syncthreads} or, within a warp, a {@code __syncwarp}; between blocks
 * nothing does but an atomic of the one that a later atomic of the other follows, whatever their addresses;
 * <li>accesses shared memory that a {@code cp.async} may still be writing, its thread not having waited for it;
 * <li>lets threads wait at different {@code __syncthreads} at the same time;
 * <li>takes by {@code __shfl_sync} from a lane that does not take part.
 * </ul>
 * Accesses out of bounds and barriers that are never reached by all need no sanitizer: the emulator ends those itself.
 *
 * <p>Two atomics do not race, but an atomic and a plain access do. Threads that store the same value race, too.
 * Shuffles and votes order no accesses to memory, as CUDA's programming guide says of them. Memory that the host or a
 * copy has written counts as written.
 */
public final class Sanitizer implements Monitor {
    private static final int WARP = 32;

    private final TreeMap<Long, Allocation> allocations = new TreeMap<>();
    private final Order order = new Order();
    private final PendingCopies copies = new PendingCopies();
    private final BitSet sharedWritten = new BitSet();
    /** Lines that hold a bar.warp.sync. */
    private final BitSet warpBarriers = new BitSet();
    private RaceShadow sharedRaces = new RaceShadow(0);
    private BitSet[] localWritten = {};
    private int sharedBytes = -1;
    private int block;
    /** The thread whose access is looked at. */
    private int thread;
    private boolean acquired;
    /** When each block did its last atomic to device memory; 0 for never. */
    private int[] released = {};
    /** Line of the __syncthreads at which threads wait; 0 for none. */
    private int waitedLine;
    private Allocation latest;

    @Override
    public void allocated(long address, long bytes) {
        allocations.put(address, new Allocation(address, bytes));
    }

    @Override
    public void freed(long address, long bytes) {
        allocations.remove(address);
        latest = null;
    }

    @Override
    public void hostWrote(long address, long bytes) {
        Allocation allocation = allocation(address);
        if (allocation != null) {
            allocation.write(address, bytes);
        }
    }

    @Override
    public void deviceCopied(long source, long target, long bytes) {
        Allocation from = allocation(source);
        Allocation to = allocation(target);
        if (from != null && to != null) {
            to.copy(target, from, source, bytes);
        }
    }

    @Override
    public void launchStarted(Launch launch) {
        allocations.values().forEach(allocation -> allocation.races().forget());
        warpBarriers.clear();
        released = new int[Math.toIntExact(launch.blocks())];
        if (sharedBytes != launch.sharedBytes()) {
            sharedBytes = launch.sharedBytes();
            sharedRaces = new RaceShadow(sharedBytes);
        }
        if (localWritten.length != launch.threads()) {
            localWritten = new BitSet[launch.threads()];
        }
    }

    @Override
    public void blockStarted(Launch launch, long started) {
        block = (int) started;
        acquired = false;
        waitedLine = 0;
        order.start(launch.threads());
        copies.start(sharedBytes);
        sharedWritten.clear();
        sharedRaces.forget();
        Arrays.fill(localWritten, null);
    }

    @Override
    public void executed(WarpView warp, int line, String opcode, Work work, int mask) {
        if (work == Work.BARRIER && opcode.startsWith("bar.warp.sync")) {
            warpBarriers.set(line);
        }
    }

    @Override
    public void accessed(WarpView warp, int line, Space space, Access access, int mask, long[] addresses, int bytes) {
        for (int m = mask; m != 0; m &= m - 1) {
            int lane = Integer.numberOfTrailingZeros(m);
            thread = WARP * warp.index() + lane;
            switch (space) {
                case GLOBAL -> accessGlobal(warp, line, lane, access, addresses[lane], bytes);
                case SHARED -> accessShared(warp, line, lane, access, addresses[lane], bytes);
                case LOCAL -> accessLocal(warp, line, lane, access, (int) addresses[lane], bytes);
                case CONSTANT, PARAMETER -> {
                    // Nobody writes those while a kernel runs.
                }
            }
        }
        if (space == Space.GLOBAL && access == Access.ATOMIC && mask != 0) {
            acquired = true;
            order.advance();
            released[block] = order.now();
        }
    }

    private void accessGlobal(WarpView warp, int line, int lane, Access access, long address, int bytes) {
        Allocation allocation = allocation(address);
        if (allocation == null || !allocation.contains(address + bytes - 1)) {
            // Out of bounds, as the emulator will tell.
            return;
        }
        if (access == Access.WRITE) {
            allocation.write(address, bytes);
        } else {
            long unwritten = allocation.unwritten(address, bytes);
            if (unwritten >= 0) {
                throw finding(warp, line, lane,
                        verb(access) + allocation.describe(unwritten) + ", which nothing has written");
            }
        }
        long accessor = Accessor.of(block, thread, line, access == Access.ATOMIC);
        RaceShadow races = allocation.races();
        long other = races.access(address - allocation.address(), bytes, access, accessor, order.now(), this::before);
        if (other != 0) {
            throw race(warp, line, lane, access, allocation.describe(address), other, races.conflict());
        }
    }

    private void accessShared(WarpView warp, int line, int lane, Access access, long address, int bytes) {
        long copy = copies.find(address, bytes);
        if (copy != 0) {
            throw finding(warp, line, lane, verb(access) + shared(address) + ", which the cp.async of "
                    + name(warp.launch(), copy) + " may still be writing; wait for it by cp.async.wait_group, and let"
                    + " threads other than its own wait at a __syncthreads after that");
        }
        if (access == Access.WRITE) {
            sharedWritten.set((int) address, (int) address + bytes);
        } else {
            int unwritten = sharedWritten.nextClearBit((int) address);
            if (unwritten < address + bytes) {
                throw finding(warp, line, lane, verb(access) + shared(unwritten)
                        + ", which nothing has written so far; if another thread is to, a __syncthreads is missing");
            }
        }
        checkSharedRace(warp, line, lane, access, address, bytes);
    }

    private void checkSharedRace(WarpView warp, int line, int lane, Access access, long address, int bytes) {
        long accessor = Accessor.of(block, thread, line, access == Access.ATOMIC);
        long other = sharedRaces.access(address, bytes, access, accessor, order.now(), this::before);
        if (other != 0) {
            throw race(warp, line, lane, access, shared(address), other, sharedRaces.conflict());
        }
    }

    private void accessLocal(WarpView warp, int line, int lane, Access access, int address, int bytes) {
        if (localWritten[thread] == null) {
            localWritten[thread] = new BitSet();
        }
        BitSet written = localWritten[thread];
        if (access == Access.WRITE) {
            written.set(address, address + bytes);
        } else if (written.nextClearBit(address) < address + bytes) {
            throw finding(warp, line, lane, verb(access) + "byte " + written.nextClearBit(address)
                    + " of its local memory, which nothing has written");
        }
    }

    @Override
    public void copyIssued(WarpView warp, int line, int mask, long[] shared, long[] global, int bytes, int[] read) {
        for (int m = mask; m != 0; m &= m - 1) {
            int lane = Integer.numberOfTrailingZeros(m);
            thread = WARP * warp.index() + lane;
            int step = Integer.lowestOneBit(read[lane] | bytes);
            for (int at = 0; at < read[lane]; at += step) {
                accessGlobal(warp, line, lane, Access.READ, global[lane] + at, step);
            }
            accessShared(warp, line, lane, Access.WRITE, shared[lane], bytes);
            copies.issue(shared[lane], bytes, Accessor.of(block, thread, line, false));
        }
    }

    @Override
    public void copied(WarpView warp, int lane, long shared, int bytes) {
        thread = WARP * warp.index() + lane;
        int line = Accessor.line(copies.arrive(shared, bytes));
        // To the others it is as if the thread had written now.
        checkSharedRace(warp, line, lane, Access.WRITE, shared, bytes);
    }

    @Override
    public void shuffled(WarpView warp, int line, int mask, int present, int[] sources) {
        for (int m = mask; m != 0; m &= m - 1) {
            int lane = Integer.numberOfTrailingZeros(m);
            if ((present >>> sources[lane] & 1) == 0) {
                throw finding(warp, line, lane, "takes a value from lane " + sources[lane]
                        + ", which does not take part in the shuffle; lanes 0x" + Integer.toHexString(present) + " do");
            }
        }
    }

    @Override
    public void warpSynchronised(WarpView warp, int line, int mask) {
        if (warpBarriers.get(line)) {
            order.synchroniseWarp(warp.index(), mask, warp.live());
        }
    }

    @Override
    public void barrierReached(WarpView warp, int line, int barrier, int mask) {
        if (barrier != 0) {
            return;
        }
        if (waitedLine != 0 && waitedLine != line) {
            throw finding(warp, line, Integer.numberOfTrailingZeros(mask),
                    "waits at a __syncthreads while other threads"
                            + " of the block wait at another one, at line " + waitedLine
                            + "; all threads of a block must come to the same one");
        }
        waitedLine = line;
    }

    @Override
    public void barrierPassed(Launch launch, long passed, int barrier, int[] masks, int exited) {
        if (barrier == 0) {
            waitedLine = 0;
        }
        int waited = Arrays.stream(masks).map(Integer::bitCount).sum();
        if (waited + exited == launch.threads()) {
            order.synchroniseBlock();
        } else {
            order.synchronise(masks);
        }
    }

    /** Whether an access of another thread of the launch happened before what {@link #thread} does now. */
    private boolean before(long accessor, int time) {
        int other = Accessor.block(accessor);
        if (other == block) {
            return order.before(time, Accessor.thread(accessor), thread);
        }
        return acquired && time < released[other];
    }

    private Allocation allocation(long address) {
        if (latest == null || !latest.contains(address)) {
            var entry = allocations.floorEntry(address);
            latest = entry != null && entry.getValue().contains(address) ? entry.getValue() : null;
        }
        return latest;
    }

    private static String verb(Access access) {
        return switch (access) {
            case READ -> "reads ";
            case WRITE -> "writes ";
            case ATOMIC -> "updates ";
        };
    }

    private static String shared(long address) {
        return "byte " + address + " of shared memory";
    }

    /** The thread of an accessor and the line where it was, and its block where that is another. */
    private String name(Launch launch, long accessor) {
        int other = Accessor.block(accessor);
        return "thread " + launch.threadName(Accessor.thread(accessor))
                + (other == block ? "" : " of block " + launch.blockName(other)) + " at line "
                + Accessor.line(accessor);
    }

    private Fault race(WarpView warp, int line, int lane, Access access, String what, long other, Access conflict) {
        String remedy = Accessor.block(other) == block
                ? "a __syncthreads or, within a warp, a __syncwarp is missing between the two"
                : "blocks of one launch run in any order";
        String done = switch (conflict) {
            case READ -> "read";
            case WRITE -> "wrote";
            case ATOMIC -> "updated";
        };
        return finding(warp, line, lane, verb(access) + what + ", which " + name(warp.launch(), other) + " " + done
                + "; " + remedy);
    }

    private static Fault finding(WarpView warp, int line, int lane, String what) {
        return new Fault(Fault.Kind.LAUNCH_FAILED, warp.where(line, lane) + ": " + what);
    }
}
