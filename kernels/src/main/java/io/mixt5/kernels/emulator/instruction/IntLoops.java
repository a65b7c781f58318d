package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.machine.Instruction;
import io.mixt5.kernels.emulator.machine.Lanes;
import io.mixt5.kernels.emulator.machine.Warp;
import java.util.function.IntBinaryOperator;
import java.util.function.IntUnaryOperator;
import java.util.function.LongToIntFunction;

/**
 * Loops that apply a function of one lane, whose result has 32 bits, to all lanes of a mask: one class for each
 * combination of operands. They are used through {@link Copies}. Each has the target's register first.
 */
final class IntLoops {
    private IntLoops() {
    }

    /** 32 bits from 32. */
    static final class Int1 extends Instruction {
        private final IntUnaryOperator function;
        private final int target;
        private final int a;

        Int1(IntUnaryOperator function, int[] registers) {
            this.function = function;
            target = registers[0];
            a = registers[1];
        }

        @Override
        public void execute(Warp warp, int mask) {
            int[] to = warp.ints[target];
            int[] first = warp.ints[a];
            if (mask == -1) {
                for (int lane = 0; lane < Lanes.COUNT; lane++) {
                    to[lane] = function.applyAsInt(first[lane]);
                }
                return;
            }
            for (int m = mask; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                to[lane] = function.applyAsInt(first[lane]);
            }
        }
    }

    /** 32 bits from 32, 32. */
    static final class Int2 extends Instruction {
        private final IntBinaryOperator function;
        private final int target;
        private final int a;
        private final int b;

        Int2(IntBinaryOperator function, int[] registers) {
            this.function = function;
            target = registers[0];
            a = registers[1];
            b = registers[2];
        }

        @Override
        public void execute(Warp warp, int mask) {
            int[] to = warp.ints[target];
            int[] first = warp.ints[a];
            int[] second = warp.ints[b];
            if (mask == -1) {
                for (int lane = 0; lane < Lanes.COUNT; lane++) {
                    to[lane] = function.applyAsInt(first[lane], second[lane]);
                }
                return;
            }
            for (int m = mask; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                to[lane] = function.applyAsInt(first[lane], second[lane]);
            }
        }
    }

    /** 32 bits from 32, 32, 32. */
    static final class Int3 extends Instruction {
        private final Functions.IntTernary function;
        private final int target;
        private final int a;
        private final int b;
        private final int c;

        Int3(Functions.IntTernary function, int[] registers) {
            this.function = function;
            target = registers[0];
            a = registers[1];
            b = registers[2];
            c = registers[3];
        }

        @Override
        public void execute(Warp warp, int mask) {
            int[] to = warp.ints[target];
            int[] first = warp.ints[a];
            int[] second = warp.ints[b];
            int[] third = warp.ints[c];
            if (mask == -1) {
                for (int lane = 0; lane < Lanes.COUNT; lane++) {
                    to[lane] = function.apply(first[lane], second[lane], third[lane]);
                }
                return;
            }
            for (int m = mask; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                to[lane] = function.apply(first[lane], second[lane], third[lane]);
            }
        }
    }

    /** 32 bits from 32, 32, 32, 32. */
    static final class Int4 extends Instruction {
        private final Functions.IntQuaternary function;
        private final int target;
        private final int a;
        private final int b;
        private final int c;
        private final int d;

        Int4(Functions.IntQuaternary function, int[] registers) {
            this.function = function;
            target = registers[0];
            a = registers[1];
            b = registers[2];
            c = registers[3];
            d = registers[4];
        }

        @Override
        public void execute(Warp warp, int mask) {
            int[] to = warp.ints[target];
            int[] first = warp.ints[a];
            int[] second = warp.ints[b];
            int[] third = warp.ints[c];
            int[] fourth = warp.ints[d];
            if (mask == -1) {
                for (int lane = 0; lane < Lanes.COUNT; lane++) {
                    to[lane] = function.apply(first[lane], second[lane], third[lane], fourth[lane]);
                }
                return;
            }
            for (int m = mask; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                to[lane] = function.apply(first[lane], second[lane], third[lane], fourth[lane]);
            }
        }
    }

    /** 32 bits from 64. */
    static final class Narrowing extends Instruction {
        private final LongToIntFunction function;
        private final int target;
        private final int a;

        Narrowing(LongToIntFunction function, int[] registers) {
            this.function = function;
            target = registers[0];
            a = registers[1];
        }

        @Override
        public void execute(Warp warp, int mask) {
            int[] to = warp.ints[target];
            long[] first = warp.longs[a];
            if (mask == -1) {
                for (int lane = 0; lane < Lanes.COUNT; lane++) {
                    to[lane] = function.applyAsInt(first[lane]);
                }
                return;
            }
            for (int m = mask; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                to[lane] = function.applyAsInt(first[lane]);
            }
        }
    }
}
