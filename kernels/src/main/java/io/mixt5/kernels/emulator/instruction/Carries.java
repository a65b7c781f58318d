package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.machine.Instruction;
import io.mixt5.kernels.emulator.machine.Warp;
import io.mixt5.kernels.emulator.ptx.PtxType;

/** Arithmetic of long numbers: add.cc, addc, sub.cc, subc, mad.cc, madc, which hand on a carry or borrow. */
final class Carries extends Instruction {
    private static final long LOW_32 = 0xffff_ffffL;

    private final boolean wide;
    private final boolean multiplies;
    private final boolean high;
    private final boolean signed;
    private final boolean subtracts;
    private final boolean reads;
    private final boolean writes;
    private final int[] registers;

    private Carries(Opcode opcode, Operands operands) {
        String name = opcode.name();
        multiplies = name.startsWith("mad");
        subtracts = name.startsWith("sub");
        reads = name.endsWith("c");
        writes = opcode.take("cc");
        high = multiplies && opcode.takeOne("lo", "hi").equals("hi");
        String type = opcode.type();
        signed = type.startsWith("s");
        wide = PtxType.bytes(type) == 8;
        int count = multiplies ? 4 : 3;
        operands.requireCount(count);
        registers = new int[count];
        registers[0] = wide ? operands.longTarget(0) : operands.intTarget(0);
        for (int i = 1; i < count; i++) {
            registers[i] = wide ? operands.longs(i) : operands.ints(i);
        }
    }

    static Instruction decode(Opcode opcode, Operands operands) {
        return new Carries(opcode, operands);
    }

    @Override
    public void execute(Warp warp, int mask) {
        int carries = warp.carries;
        for (int m = mask; m != 0; m &= m - 1) {
            int lane = Integer.numberOfTrailingZeros(m);
            long x = read(warp, 1, lane);
            long y = read(warp, 2, lane);
            if (multiplies) {
                x = product(x, y);
                y = read(warp, 3, lane);
            }
            int carry = reads ? carries >>> lane & 1 : 0;
            boolean carried;
            long result;
            if (subtracts) {
                result = x - y - carry;
                carried = carry == 1 ? Long.compareUnsigned(x, y) <= 0 : Long.compareUnsigned(x, y) < 0;
            } else {
                result = x + y + carry;
                carried = wide
                        ? carry == 1 ? Long.compareUnsigned(result, x) <= 0 : Long.compareUnsigned(result, x) < 0
                        : result >>> 32 != 0;
            }
            if (wide) {
                warp.longs[registers[0]][lane] = result;
            } else {
                warp.ints[registers[0]][lane] = (int) result;
            }
            if (writes) {
                warp.carries = warp.carries & ~(1 << lane) | (carried ? 1 << lane : 0);
            }
        }
    }

    private long read(Warp warp, int operand, int lane) {
        return wide ? warp.longs[registers[operand]][lane] : warp.ints[registers[operand]][lane] & LOW_32;
    }

    /** The half of the product that is asked for, as an unsigned number. */
    private long product(long x, long y) {
        if (wide) {
            return !high ? x * y : signed ? Math.multiplyHigh(x, y) : Math.unsignedMultiplyHigh(x, y);
        }
        long product = signed ? (long) (int) x * (int) y : x * y;
        return high ? product >>> 32 : product & LOW_32;
    }
}
