package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.Monitor.Space;
import io.mixt5.kernels.emulator.machine.Instruction;
import io.mixt5.kernels.emulator.machine.MemorySite;
import io.mixt5.kernels.emulator.machine.Warp;

/** cp.async and its groups. */
final class Copying {
    private Copying() {
    }

    /** cp.async.ca or .cg.shared.global [to], [from], bytes(, read), and .commit_group, .wait_group, .wait_all. */
    static Instruction decode(Opcode opcode, Operands operands) {
        if (!opcode.take("async")) {
            throw opcode.error("the emulator only knows cp.async");
        }
        if (opcode.take("commit_group")) {
            return new Commit();
        }
        if (opcode.take("wait_all")) {
            return new Wait(-1);
        }
        if (opcode.take("wait_group")) {
            return new Wait(operands.number(0));
        }
        opcode.ignore("ca", "cg", "shared", "shared::cta", "global");
        opcode.ignorePrefix("L2::");
        int bytes = operands.number(2);
        int read = operands.count() > 3 ? operands.ints(3) : operands.constant(bytes);
        return new Copy(AddressOperand.of(opcode, operands, 0, Space.SHARED),
                AddressOperand.of(opcode, operands, 1, Space.GLOBAL), bytes, read);
    }

    private static final class Copy extends Instruction {
        private final AddressOperand to;
        private final AddressOperand from;
        private final MemorySite target = new MemorySite(this, Space.SHARED);
        private final MemorySite source = new MemorySite(this, Space.GLOBAL);
        private final int bytes;
        private final int read;

        Copy(AddressOperand to, AddressOperand from, int bytes, int read) {
            this.to = to;
            this.from = from;
            this.bytes = bytes;
            this.read = read;
        }

        @Override
        public void execute(Warp warp, int mask) {
            to.compute(warp);
            // Shared memory is one segment: either all lanes are in it, or the first that is not is a fault.
            for (int rest = mask; rest != 0;) {
                rest &= ~warp.memory.locate(target, rest, bytes, bytes, null);
            }
            int[] targets = warp.memory.offsets.clone();
            long[] shared = warp.monitor() == null ? null : warp.memory.addresses.clone();
            int[] reads = warp.ints[read];
            from.compute(warp);
            if (warp.monitor() != null) {
                warp.monitor().copyIssued(warp, line(), mask, shared, warp.memory.addresses, bytes, reads);
            }
            int rest = mask;
            while (rest != 0) {
                int lane = Integer.numberOfTrailingZeros(rest);
                int count = reads[lane];
                if (count < 0 || count > bytes) {
                    throw warp.failed(this, lane, "it cannot read " + count + " of " + bytes + " bytes");
                }
                int part = Warp.equal(reads, count, rest);
                if (count > 0) {
                    part = warp.memory.locate(source, part, count, bytes, null);
                }
                for (int m = part; m != 0; m &= m - 1) {
                    int l = Integer.numberOfTrailingZeros(m);
                    warp.memory.copies().issue(l, targets[l], bytes, warp.memory.data, warp.memory.offsets[l], count);
                }
                rest &= ~part;
            }
        }
    }

    private static final class Commit extends Instruction {
        @Override
        public void execute(Warp warp, int mask) {
            warp.memory.copies().commit(mask);
            if (warp.monitor() != null) {
                warp.monitor().copyCommitted(warp, line(), mask);
            }
        }
    }

    private static final class Wait extends Instruction {
        private final int pending;

        Wait(int pending) {
            this.pending = pending;
        }

        @Override
        public void execute(Warp warp, int mask) {
            if (warp.monitor() != null) {
                warp.monitor().copyWaited(warp, line(), mask, pending);
            }
            warp.memory.copies().await(mask, pending);
        }
    }
}
