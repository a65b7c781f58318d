package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.machine.Instruction;
import io.mixt5.kernels.emulator.machine.Lanes;
import io.mixt5.kernels.emulator.machine.Warp;
import io.mixt5.kernels.emulator.ptx.PtxType;

/** selp and slct: one of two operands. */
final class Selections {
    private Selections() {
    }

    /** selp d, a, b, p. */
    static Instruction byPredicate(Opcode opcode, Operands operands) {
        boolean wide = PtxType.bytes(opcode.type()) == 8;
        operands.requireCount(4);
        Operands.Predicate which = operands.predicate(3);
        int flip = which.negated() ? -1 : 0;
        return wide
                ? new LongSelection(operands.longTarget(0), operands.longs(1), operands.longs(2), which.register(),
                        flip)
                : new IntSelection(operands.intTarget(0), operands.ints(1), operands.ints(2), which.register(), flip);
    }

    /** slct d, a, b, c: a where c is not negative. */
    static Instruction bySign(Opcode opcode, Operands operands) {
        opcode.ignore("ftz");
        if (PtxType.bytes(opcode.type()) == 8) {
            throw opcode.error("the emulator knows slct for 32 bits only");
        }
        String type = opcode.type();
        Elementwise each = new Elementwise(opcode, operands);
        return switch (type) {
            case "s32" -> each.int3((a, b, c) -> c >= 0 ? a : b);
            // -0 is not negative, NaN selects b.
            case "f32" -> each.int3((a, b, c) -> Float.intBitsToFloat(c) >= 0 ? a : b);
            default -> throw opcode.unknownType(type);
        };
    }

    private static final class IntSelection extends Instruction {
        private final int target;
        private final int a;
        private final int b;
        private final int predicate;
        private final int flip;

        IntSelection(int target, int a, int b, int predicate, int flip) {
            this.target = target;
            this.a = a;
            this.b = b;
            this.predicate = predicate;
            this.flip = flip;
        }

        @Override
        public void execute(Warp warp, int mask) {
            int[] to = warp.ints[target];
            int[] first = warp.ints[a];
            int[] second = warp.ints[b];
            int which = warp.predicates[predicate] ^ flip;
            if (mask == -1) {
                for (int lane = 0; lane < Lanes.COUNT; lane++) {
                    to[lane] = (which >>> lane & 1) != 0 ? first[lane] : second[lane];
                }
                return;
            }
            for (int m = mask; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                to[lane] = (which >>> lane & 1) != 0 ? first[lane] : second[lane];
            }
        }
    }

    private static final class LongSelection extends Instruction {
        private final int target;
        private final int a;
        private final int b;
        private final int predicate;
        private final int flip;

        LongSelection(int target, int a, int b, int predicate, int flip) {
            this.target = target;
            this.a = a;
            this.b = b;
            this.predicate = predicate;
            this.flip = flip;
        }

        @Override
        public void execute(Warp warp, int mask) {
            long[] to = warp.longs[target];
            long[] first = warp.longs[a];
            long[] second = warp.longs[b];
            int which = warp.predicates[predicate] ^ flip;
            for (int m = mask; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                to[lane] = (which >>> lane & 1) != 0 ? first[lane] : second[lane];
            }
        }
    }
}
