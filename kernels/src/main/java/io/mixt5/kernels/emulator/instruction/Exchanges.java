package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.machine.Instruction;
import io.mixt5.kernels.emulator.machine.Lanes;
import io.mixt5.kernels.emulator.machine.Warp;
import io.mixt5.kernels.emulator.machine.WarpSync;
import io.mixt5.kernels.emulator.math.Floats;
import io.mixt5.kernels.emulator.ptx.PtxOperand;
import java.util.Locale;
import java.util.function.IntBinaryOperator;

/** shfl, vote, match, redux and activemask: what the lanes of a warp tell each other. */
final class Exchanges {
    private Exchanges() {
    }

    /** shfl.sync.mode.b32 d(|p), a, b, c, members. */
    static Instruction shuffle(Opcode opcode, Operands operands) {
        requireSync(opcode);
        String mode = opcode.takeOne("up", "down", "bfly", "idx");
        opcode.ignore("b32");
        operands.requireCount(5);
        PtxOperand target = operands.at(0);
        int predicate = -1;
        if (target instanceof PtxOperand.Pair pair) {
            predicate = operands.predicateTarget(pair.second());
            target = pair.first();
        }
        return new Shuffle(opcode.text(), Shuffle.Mode.valueOf(mode.toUpperCase(Locale.ROOT)),
                operands.intTarget(target), predicate, operands.ints(1),
                operands.ints(2), operands.ints(3), operands.ints(4));
    }

    /** vote.sync.mode.pred p, a, members, and .ballot.b32 d, a, members. */
    static Instruction vote(Opcode opcode, Operands operands) {
        requireSync(opcode);
        String mode = opcode.takeOne("all", "any", "uni", "ballot");
        opcode.ignore("pred", "b32");
        boolean ballot = mode.equals("ballot");
        return new Vote(opcode.text(), mode, ballot ? operands.intTarget(0) : operands.predicateTarget(operands.at(0)),
                operands.predicate(1), operands.ints(2));
    }

    /** match.any.sync.type d, a, members, and match.all.sync.type d(|p), a, members. */
    static Instruction match(Opcode opcode, Operands operands) {
        requireSync(opcode);
        boolean all = opcode.takeOne("any", "all").equals("all");
        boolean wide = opcode.type().equals("b64");
        PtxOperand target = operands.at(0);
        int predicate = -1;
        if (target instanceof PtxOperand.Pair pair) {
            predicate = operands.predicateTarget(pair.second());
            target = pair.first();
        }
        return new Match(opcode.text(), all, wide, operands.intTarget(target), predicate,
                wide ? operands.longs(1) : operands.ints(1), operands.ints(2));
    }

    /** redux.sync.op.type d, a, members. */
    static Instruction reduce(Opcode opcode, Operands operands) {
        requireSync(opcode);
        String operation = opcode.takeOne("add", "min", "max", "and", "or", "xor");
        boolean absolute = opcode.take("abs");
        boolean nan = opcode.take("NaN");
        String type = opcode.type();
        IntBinaryOperator function = switch (operation + "." + type) {
            case "add.u32", "add.s32" -> Integer::sum;
            case "min.s32" -> Math::min;
            case "max.s32" -> Math::max;
            case "min.u32" -> (a, b) -> Integer.compareUnsigned(a, b) < 0 ? a : b;
            case "max.u32" -> (a, b) -> Integer.compareUnsigned(a, b) > 0 ? a : b;
            case "and.b32" -> (a, b) -> a & b;
            case "or.b32" -> (a, b) -> a | b;
            case "xor.b32" -> (a, b) -> a ^ b;
            case "min.f32" -> nan ? Floats::minNan : Floats::min;
            case "max.f32" -> nan ? Floats::maxNan : Floats::max;
            default -> throw opcode.unknownType(type);
        };
        return new Reduction(opcode.text(), function, absolute ? 0x7fff_ffff : -1, operands.intTarget(0),
                operands.ints(1), operands.ints(2));
    }

    /** activemask.b32 d. */
    static Instruction activeMask(Opcode opcode, Operands operands) {
        opcode.ignore("b32");
        return new ActiveMask(operands.intTarget(0));
    }

    /** bar.warp.sync members. */
    static Instruction synchronise(Opcode opcode, Operands operands) {
        return new Synchronisation(opcode.text(), operands.ints(0));
    }

    private static void requireSync(Opcode opcode) {
        if (!opcode.take("sync")) {
            throw opcode.error("without .sync it was dropped from the ISA; say who takes part");
        }
    }

    private static final class Shuffle extends WarpSync {
        /** Where a lane looks for its source. */
        private enum Mode {
            UP, DOWN, BFLY, IDX
        }

        /** What a lane gets from one that does not take part: a NaN, since the ISA leaves it open. */
        private static final int NOTHING = -1;

        private final Mode mode;
        private final int target;
        private final int predicate;
        private final int source;
        private final int choice;
        private final int clamp;

        Shuffle(String kind, Mode mode, int target, int predicate, int source, int choice, int clamp, int members) {
            super(members, kind);
            this.mode = mode;
            this.target = target;
            this.predicate = predicate;
            this.source = source;
            this.choice = choice;
            this.clamp = clamp;
        }

        @Override
        protected void give(Warp warp, int mask) {
            int[] values = warp.ints[source];
            for (int m = mask; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                warp.exchange[lane] = values[lane];
            }
        }

        @Override
        protected void take(Warp warp, int mask, int met) {
            int[] to = warp.ints[target];
            int[] sources = warp.monitor() == null ? null : new int[Lanes.COUNT];
            int inRange = 0;
            for (int m = mask; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                int b = warp.ints[choice][lane] & 31;
                int segment = warp.ints[clamp][lane] >> 8 & 31;
                int last = lane & segment | warp.ints[clamp][lane] & 31 & ~segment;
                int from = switch (mode) {
                    case UP -> lane - b;
                    case DOWN -> lane + b;
                    case BFLY -> lane ^ b;
                    case IDX -> lane & segment | b & ~segment;
                };
                if (mode == Mode.UP ? from >= last : from <= last) {
                    inRange |= 1 << lane;
                } else {
                    from = lane;
                }
                if (sources != null) {
                    sources[lane] = from;
                }
                to[lane] = (met >>> from & 1) != 0 ? (int) warp.exchange[from] : NOTHING;
            }
            if (predicate >= 0) {
                warp.setPredicate(predicate, mask, inRange);
            }
            if (sources != null) {
                warp.monitor().shuffled(warp, line(), mask, met, sources);
            }
        }
    }

    private static final class Vote extends WarpSync {
        private final String mode;
        private final int target;
        private final int predicate;
        private final int flip;

        Vote(String kind, String mode, int target, Operands.Predicate predicate, int members) {
            super(members, kind);
            this.mode = mode;
            this.target = target;
            this.predicate = predicate.register();
            this.flip = predicate.negated() ? -1 : 0;
        }

        @Override
        protected void give(Warp warp, int mask) {
            warp.votes = warp.votes & ~mask | (warp.predicates[predicate] ^ flip) & mask;
        }

        @Override
        protected void take(Warp warp, int mask, int met) {
            int votes = warp.votes & met;
            switch (mode) {
                case "all" -> warp.setPredicate(target, mask, votes == met ? -1 : 0);
                case "any" -> warp.setPredicate(target, mask, votes != 0 ? -1 : 0);
                case "uni" -> warp.setPredicate(target, mask, votes == met || votes == 0 ? -1 : 0);
                default -> fill(warp.ints[target], mask, votes);
            }
        }
    }

    private static void fill(int[] to, int mask, int value) {
        for (int m = mask; m != 0; m &= m - 1) {
            to[Integer.numberOfTrailingZeros(m)] = value;
        }
    }

    private static final class Match extends WarpSync {
        private final boolean all;
        private final boolean wide;
        private final int target;
        private final int predicate;
        private final int source;

        Match(String kind, boolean all, boolean wide, int target, int predicate, int source, int members) {
            super(members, kind);
            this.all = all;
            this.wide = wide;
            this.target = target;
            this.predicate = predicate;
            this.source = source;
        }

        @Override
        protected void give(Warp warp, int mask) {
            for (int m = mask; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                warp.exchange[lane] = wide ? warp.longs[source][lane] : warp.ints[source][lane];
            }
        }

        @Override
        protected void take(Warp warp, int mask, int met) {
            for (int m = mask; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                int same = 0;
                for (int n = met; n != 0; n &= n - 1) {
                    int other = Integer.numberOfTrailingZeros(n);
                    same |= warp.exchange[other] == warp.exchange[lane] ? 1 << other : 0;
                }
                warp.ints[target][lane] = !all || same == met ? same : 0;
                if (predicate >= 0) {
                    warp.setPredicate(predicate, 1 << lane, same == met ? -1 : 0);
                }
            }
        }
    }

    private static final class Reduction extends WarpSync {
        private final IntBinaryOperator function;
        private final int shown;
        private final int target;
        private final int source;

        Reduction(String kind, IntBinaryOperator function, int shown, int target, int source, int members) {
            super(members, kind);
            this.function = function;
            this.shown = shown;
            this.target = target;
            this.source = source;
        }

        @Override
        protected void give(Warp warp, int mask) {
            for (int m = mask; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                warp.exchange[lane] = warp.ints[source][lane] & shown;
            }
        }

        @Override
        protected void take(Warp warp, int mask, int met) {
            int result = (int) warp.exchange[Integer.numberOfTrailingZeros(met)];
            for (int m = met & met - 1; m != 0; m &= m - 1) {
                result = function.applyAsInt(result, (int) warp.exchange[Integer.numberOfTrailingZeros(m)]);
            }
            fill(warp.ints[target], mask, result);
        }
    }

    private static final class ActiveMask extends Instruction {
        private final int target;

        ActiveMask(int target) {
            this.target = target;
        }

        @Override
        public void execute(Warp warp, int mask) {
            fill(warp.ints[target], mask, mask);
        }
    }

    private static final class Synchronisation extends WarpSync {
        Synchronisation(String kind, int members) {
            super(members, kind);
        }

        @Override
        protected void give(Warp warp, int mask) {
            // Only the meeting counts.
        }

        @Override
        protected void take(Warp warp, int mask, int met) {
            // Only the meeting counts.
        }
    }
}
