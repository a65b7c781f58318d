package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.machine.Instruction;
import io.mixt5.kernels.emulator.machine.Lanes;
import io.mixt5.kernels.emulator.machine.Warp;
import java.util.function.IntToLongFunction;
import java.util.function.LongBinaryOperator;
import java.util.function.LongUnaryOperator;

/**
 * Loops that apply a function of one lane, whose result has 64 bits, to all lanes of a mask: one class for each
 * combination of operands. They are used through {@link Copies}. Each has the target's register first.
 */
final class LongLoops {
    private LongLoops() {
    }

    /** 64 bits from 64. */
    static final class Long1 extends Instruction {
        private final LongUnaryOperator function;
        private final int target;
        private final int a;

        Long1(LongUnaryOperator function, int[] registers) {
            this.function = function;
            target = registers[0];
            a = registers[1];
        }

        @Override
        public void execute(Warp warp, int mask) {
            long[] to = warp.longs[target];
            long[] first = warp.longs[a];
            if (mask == -1) {
                for (int lane = 0; lane < Lanes.COUNT; lane++) {
                    to[lane] = function.applyAsLong(first[lane]);
                }
                return;
            }
            for (int m = mask; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                to[lane] = function.applyAsLong(first[lane]);
            }
        }
    }

    /** 64 bits from 64, 64. */
    static final class Long2 extends Instruction {
        private final LongBinaryOperator function;
        private final int target;
        private final int a;
        private final int b;

        Long2(LongBinaryOperator function, int[] registers) {
            this.function = function;
            target = registers[0];
            a = registers[1];
            b = registers[2];
        }

        @Override
        public void execute(Warp warp, int mask) {
            long[] to = warp.longs[target];
            long[] first = warp.longs[a];
            long[] second = warp.longs[b];
            if (mask == -1) {
                for (int lane = 0; lane < Lanes.COUNT; lane++) {
                    to[lane] = function.applyAsLong(first[lane], second[lane]);
                }
                return;
            }
            for (int m = mask; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                to[lane] = function.applyAsLong(first[lane], second[lane]);
            }
        }
    }

    /** 64 bits from 64, 64, 64. */
    static final class Long3 extends Instruction {
        private final Functions.LongTernary function;
        private final int target;
        private final int a;
        private final int b;
        private final int c;

        Long3(Functions.LongTernary function, int[] registers) {
            this.function = function;
            target = registers[0];
            a = registers[1];
            b = registers[2];
            c = registers[3];
        }

        @Override
        public void execute(Warp warp, int mask) {
            long[] to = warp.longs[target];
            long[] first = warp.longs[a];
            long[] second = warp.longs[b];
            long[] third = warp.longs[c];
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

    /** 64 bits from 32. */
    static final class Widening extends Instruction {
        private final IntToLongFunction function;
        private final int target;
        private final int a;

        Widening(IntToLongFunction function, int[] registers) {
            this.function = function;
            target = registers[0];
            a = registers[1];
        }

        @Override
        public void execute(Warp warp, int mask) {
            long[] to = warp.longs[target];
            int[] first = warp.ints[a];
            if (mask == -1) {
                for (int lane = 0; lane < Lanes.COUNT; lane++) {
                    to[lane] = function.applyAsLong(first[lane]);
                }
                return;
            }
            for (int m = mask; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                to[lane] = function.applyAsLong(first[lane]);
            }
        }
    }

    /** 64 bits from 32, 32. */
    static final class Widening2 extends Instruction {
        private final Functions.IntsToLong function;
        private final int target;
        private final int a;
        private final int b;

        Widening2(Functions.IntsToLong function, int[] registers) {
            this.function = function;
            target = registers[0];
            a = registers[1];
            b = registers[2];
        }

        @Override
        public void execute(Warp warp, int mask) {
            long[] to = warp.longs[target];
            int[] first = warp.ints[a];
            int[] second = warp.ints[b];
            if (mask == -1) {
                for (int lane = 0; lane < Lanes.COUNT; lane++) {
                    to[lane] = function.apply(first[lane], second[lane]);
                }
                return;
            }
            for (int m = mask; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                to[lane] = function.apply(first[lane], second[lane]);
            }
        }
    }

    /** 64 bits from 32, 32, 64. */
    static final class Widening3 extends Instruction {
        private final Functions.IntsAndLong function;
        private final int target;
        private final int a;
        private final int b;
        private final int c;

        Widening3(Functions.IntsAndLong function, int[] registers) {
            this.function = function;
            target = registers[0];
            a = registers[1];
            b = registers[2];
            c = registers[3];
        }

        @Override
        public void execute(Warp warp, int mask) {
            long[] to = warp.longs[target];
            int[] first = warp.ints[a];
            int[] second = warp.ints[b];
            long[] third = warp.longs[c];
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

    /** 64 bits from 64, 32. */
    static final class Shift extends Instruction {
        private final Functions.LongAndInt function;
        private final int target;
        private final int a;
        private final int b;

        Shift(Functions.LongAndInt function, int[] registers) {
            this.function = function;
            target = registers[0];
            a = registers[1];
            b = registers[2];
        }

        @Override
        public void execute(Warp warp, int mask) {
            long[] to = warp.longs[target];
            long[] first = warp.longs[a];
            int[] second = warp.ints[b];
            if (mask == -1) {
                for (int lane = 0; lane < Lanes.COUNT; lane++) {
                    to[lane] = function.apply(first[lane], second[lane]);
                }
                return;
            }
            for (int m = mask; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                to[lane] = function.apply(first[lane], second[lane]);
            }
        }
    }
}
