package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.Monitor.Access;
import io.mixt5.kernels.emulator.Monitor.Space;
import io.mixt5.kernels.emulator.machine.Instruction;
import io.mixt5.kernels.emulator.machine.MemorySite;
import io.mixt5.kernels.emulator.machine.Segment;
import io.mixt5.kernels.emulator.machine.Warp;
import io.mixt5.kernels.emulator.math.Bfloats;
import io.mixt5.kernels.emulator.math.Doubles;
import io.mixt5.kernels.emulator.math.Floats;
import io.mixt5.kernels.emulator.math.Halves;
import io.mixt5.kernels.emulator.math.Rounding;
import io.mixt5.kernels.emulator.ptx.PtxType;
import java.util.function.LongBinaryOperator;

/** atom and red. Lanes take turns in their order, blocks that have any in theirs. */
final class Atomics extends Instruction {
    private final AddressOperand address;
    private final MemorySite site;
    private final LongBinaryOperator update;
    private final int bytes;
    private final int target;
    private final int operand;
    private final int swap;

    private Atomics(AddressOperand address, LongBinaryOperator update, int bytes, int target, int operand, int swap) {
        this.address = address;
        this.site = new MemorySite(this, address.space());
        this.update = update;
        this.bytes = bytes;
        this.target = target;
        this.operand = operand;
        this.swap = swap;
    }

    /** atom d, [a], b(, c) and red [a], b. */
    static Instruction decode(Opcode opcode, Operands operands) {
        boolean returns = opcode.name().equals("atom");
        Space space = AddressOperand.space(opcode);
        opcode.ignore("relaxed", "acquire", "release", "acq_rel", "cta", "cluster", "gpu", "sys", "noftz");
        opcode.ignorePrefix("L2::");
        String operation = opcode.takeOne("and", "or", "xor", "cas", "exch", "add", "inc", "dec", "min", "max");
        if (operation == null) {
            throw opcode.error("the operation is missing");
        }
        String type = opcode.type();
        int bytes = PtxType.bytes(type);
        boolean wide = bytes == 8;
        int first = returns ? 1 : 0;
        AddressOperand address = AddressOperand.of(opcode, operands, first, space);
        int target = !returns ? -1 : wide ? operands.longTarget(0) : operands.intTarget(0);
        int operand = source(operands, first + 1, wide);
        boolean compares = operation.equals("cas");
        operands.requireCount(first + (compares ? 3 : 2));
        return new Atomics(address, compares ? null : update(opcode, operation, type), bytes, target, operand,
                compares ? source(operands, first + 2, wide) : -1);
    }

    private static int source(Operands operands, int i, boolean wide) {
        return wide ? operands.longs(i) : operands.ints(i);
    }

    /** What becomes of the old value and the operand, both extended by zeros. */
    private static LongBinaryOperator update(Opcode opcode, String operation, String type) {
        return switch (operation) {
            case "exch" -> (old, b) -> b;
            case "and" -> (old, b) -> old & b;
            case "or" -> (old, b) -> old | b;
            case "xor" -> (old, b) -> old ^ b;
            case "inc" -> (old, b) -> old >= b ? 0 : old + 1;
            case "dec" -> (old, b) -> old == 0 || old > b ? b : old - 1;
            case "add" -> add(opcode, type);
            case "min" -> extremum(opcode, type, true);
            default -> extremum(opcode, type, false);
        };
    }

    private static LongBinaryOperator add(Opcode opcode, String type) {
        return switch (type) {
            case "u32", "s32", "u64", "s64" -> Long::sum;
            case "f32" -> (old, b) -> Floats.add((int) old, (int) b);
            case "f64" -> (old, b) -> Doubles.add(old, b, Rounding.NEAREST);
            case "f16" -> (old, b) -> Halves.add((int) old, (int) b);
            case "f16x2" -> (old, b) -> Halves.add2((int) old, (int) b);
            case "bf16" -> (old, b) -> Bfloats.add((int) old, (int) b);
            case "bf16x2" -> (old, b) -> Bfloats.add2((int) old, (int) b);
            default -> throw opcode.unknownType(type);
        };
    }

    private static LongBinaryOperator extremum(Opcode opcode, String type, boolean smallest) {
        return switch (type) {
            case "u32" -> smallest ? Math::min : Math::max;
            case "s32" -> smallest
                    ? (old, b) -> Math.min((int) old, (int) b)
                    : (old, b) -> Math.max((int) old, (int) b);
            case "s64" -> smallest ? Math::min : Math::max;
            case "u64" -> smallest
                    ? (old, b) -> Long.compareUnsigned(old, b) < 0 ? old : b
                    : (old, b) -> Long.compareUnsigned(old, b) > 0 ? old : b;
            default -> throw opcode.unknownType(type);
        };
    }

    @Override
    public void execute(Warp warp, int mask) {
        address.compute(warp);
        int rest = mask;
        while (rest != 0) {
            int part = warp.memory.locate(site, rest, bytes, bytes, Access.ATOMIC);
            for (int m = part; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                updateLane(warp, lane, warp.memory.data, warp.memory.offsets[lane]);
            }
            rest &= ~part;
        }
    }

    private void updateLane(Warp warp, int lane, byte[] data, int at) {
        long old = switch (bytes) {
            case 2 -> (short) Segment.SHORT.get(data, at) & 0xffffL;
            case 4 -> (int) Segment.INT.get(data, at) & 0xffff_ffffL;
            default -> (long) Segment.LONG.get(data, at);
        };
        long b = read(warp, operand, lane);
        long updated;
        if (swap >= 0) {
            updated = old == b ? read(warp, swap, lane) : old;
        } else {
            updated = update.applyAsLong(old, b);
        }
        switch (bytes) {
            case 2 -> Segment.SHORT.set(data, at, (short) updated);
            case 4 -> Segment.INT.set(data, at, (int) updated);
            default -> Segment.LONG.set(data, at, updated);
        }
        if (target >= 0 && bytes == 8) {
            warp.longs[target][lane] = old;
        } else if (target >= 0) {
            warp.ints[target][lane] = (int) old;
        }
    }

    private long read(Warp warp, int register, int lane) {
        return switch (bytes) {
            case 2 -> warp.ints[register][lane] & 0xffffL;
            case 4 -> warp.ints[register][lane] & 0xffff_ffffL;
            default -> warp.longs[register][lane];
        };
    }
}
