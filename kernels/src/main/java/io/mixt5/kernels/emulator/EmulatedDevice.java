package io.mixt5.kernels.emulator;

import io.mixt5.engine.Memory;
import io.mixt5.ffm.cuda.CudaException;
import io.mixt5.kernels.emulator.machine.DeviceMemory;
import io.mixt5.kernels.emulator.machine.Segment;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** A device with its primary context: its memory, and whether a kernel's fault has lost it. */
final class EmulatedDevice {
    private final DeviceMemory memory;
    private final Monitor monitor;
    private int shares;
    private CudaException lost;

    /** With so many bytes of memory; a monitor may be null. */
    EmulatedDevice(long bytes, Monitor monitor) {
        this.memory = new DeviceMemory(bytes);
        this.monitor = monitor;
    }

    DeviceMemory memory() {
        return memory;
    }

    void retain() {
        shares++;
    }

    /** Takes a share back; the last one takes memory and faults along. False if nobody held one. */
    boolean release() {
        if (shares == 0) {
            return false;
        }
        if (--shares == 0) {
            lost = null;
            for (Segment segment : memory.segments()) {
                free("cuDevicePrimaryCtxRelease", segment.base());
            }
        }
        return true;
    }

    boolean active() {
        return shares > 0;
    }

    /** From now on every call fails in the way of {@code cause}. */
    void lose(CudaException cause) {
        lost = cause;
    }

    /** Throws what lost the context, if anything did. */
    void requireUsable(String call) {
        if (lost != null) {
            throw new CudaException(lost.status(), call, "the context was lost: " + lost.getMessage());
        }
    }

    /** Reserves memory. */
    Segment allocate(String call, long bytes) {
        if (bytes <= 0) {
            throw new CudaException(CudaException.INVALID_VALUE, call, bytes + " bytes cannot be allocated");
        }
        Segment segment = memory.allocate(bytes);
        if (segment == null) {
            throw new CudaException(CudaException.OUT_OF_MEMORY, call, bytes + " bytes wanted, " + memory.available()
                    + " available; the emulator allocates at most 2 GiB at once");
        }
        if (monitor != null) {
            monitor.allocated(segment.base(), bytes);
        }
        return segment;
    }

    /** Gives memory back. */
    void free(String call, long address) {
        Segment segment = memory.free(address);
        if (segment == null) {
            throw new CudaException(CudaException.INVALID_VALUE, call, "no allocation begins at 0x"
                    + Long.toHexString(address));
        }
        if (monitor != null) {
            monitor.freed(address, segment.size());
        }
    }

    void fill(String call, long address, byte value, long bytes) {
        if (bytes > 0) {
            Segment segment = require(call, address, bytes);
            int from = (int) (address - segment.base());
            Arrays.fill(segment.bytes(), from, from + (int) bytes, value);
            wrote(address, bytes);
        }
    }

    void upload(String call, long host, long address, long bytes) {
        if (bytes > 0) {
            Segment segment = require(call, address, bytes);
            MemorySegment.copy(Memory.ALL, host, MemorySegment.ofArray(segment.bytes()), address - segment.base(),
                    bytes);
            wrote(address, bytes);
        }
    }

    private void wrote(long address, long bytes) {
        if (monitor != null) {
            monitor.hostWrote(address, bytes);
        }
    }

    void download(String call, long address, long host, long bytes) {
        if (bytes > 0) {
            Segment segment = require(call, address, bytes);
            if (monitor != null) {
                monitor.hostRead(address, bytes);
            }
            MemorySegment.copy(MemorySegment.ofArray(segment.bytes()), address - segment.base(), Memory.ALL, host,
                    bytes);
        }
    }

    void copy(String call, long source, long target, long bytes) {
        if (bytes > 0) {
            Segment from = require(call, source, bytes);
            Segment to = require(call, target, bytes);
            System.arraycopy(from.bytes(), (int) (source - from.base()), to.bytes(), (int) (target - to.base()),
                    (int) bytes);
            if (monitor != null) {
                monitor.deviceCopied(source, target, bytes);
            }
        }
    }

    private Segment require(String call, long address, long bytes) {
        Segment segment = memory.find(address);
        if (segment == null) {
            throw new CudaException(CudaException.INVALID_VALUE, call, "0x" + Long.toHexString(address)
                    + " is not allocated: " + memory.describe(address));
        }
        if (bytes > segment.size() - (address - segment.base())) {
            throw new CudaException(CudaException.INVALID_VALUE, call, bytes + " bytes from 0x"
                    + Long.toHexString(address) + " on go beyond the allocation of " + segment.size()
                    + " bytes that begins at 0x" + Long.toHexString(segment.base()));
        }
        return segment;
    }
}
