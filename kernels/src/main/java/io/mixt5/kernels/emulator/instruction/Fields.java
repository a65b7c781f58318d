package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.machine.Instruction;
import io.mixt5.kernels.emulator.machine.Warp;

/** bfe and bfi of 64 bits: one or two 64-bit operands, then place and length. Used through {@link Copies}. */
final class Fields extends Instruction {
    private final Functions.Mixed function;
    private final int[] registers;

    Fields(Functions.Mixed function, int[] registers) {
        this.function = function;
        this.registers = registers;
    }

    @Override
    public void execute(Warp warp, int mask) {
        long[] to = warp.longs[registers[0]];
        long[] first = warp.longs[registers[1]];
        boolean inserts = registers.length == 5;
        int[] at = warp.ints[registers[inserts ? 3 : 2]];
        int[] length = warp.ints[registers[inserts ? 4 : 3]];
        for (int m = mask; m != 0; m &= m - 1) {
            int lane = Integer.numberOfTrailingZeros(m);
            to[lane] = inserts
                    ? function.apply(first[lane], warp.longs[registers[2]][lane], at[lane], length[lane])
                    : function.apply(first[lane], at[lane], length[lane], 0);
        }
    }
}
