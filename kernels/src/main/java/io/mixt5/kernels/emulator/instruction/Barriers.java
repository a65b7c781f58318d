package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.machine.Barrier;
import io.mixt5.kernels.emulator.machine.Branches;
import io.mixt5.kernels.emulator.machine.Instruction;
import io.mixt5.kernels.emulator.machine.Warp;

/** bar and barrier; and what has nothing to do here: fences, since memory has one order, and hints. */
final class Barriers {
    private Barriers() {
    }

    /** bar.sync, bar.red, bar.arrive, bar.warp.sync and the same of barrier. */
    static Instruction decode(Opcode opcode, Operands operands) {
        opcode.ignore("cta", "aligned");
        String mode = opcode.takeOne("sync", "arrive", "red");
        if (opcode.take("warp")) {
            return Exchanges.synchronise(opcode, operands);
        }
        if (mode == null) {
            throw opcode.error(".sync, .arrive or .red is missing");
        }
        if (mode.equals("red")) {
            return reduction(opcode, operands);
        }
        int threads = operands.count() > 1 ? operands.ints(1) : -1;
        return new Barrier(mode.equals("sync") ? Barrier.Reduction.NONE : Barrier.Reduction.ARRIVE, operands.ints(0),
                threads, -1, -1, false);
    }

    /** bar.red.popc.u32 d, a(, b), c and bar.red.and.pred p, a(, b), c. */
    private static Instruction reduction(Opcode opcode, Operands operands) {
        Barrier.Reduction reduction = switch (opcode.takeOne("popc", "and", "or")) {
            case "popc" -> Barrier.Reduction.COUNT;
            case "and" -> Barrier.Reduction.AND;
            default -> Barrier.Reduction.OR;
        };
        opcode.ignore("u32", "pred");
        boolean some = operands.count() == 4;
        Operands.Predicate predicate = operands.predicate(some ? 3 : 2);
        int target = reduction == Barrier.Reduction.COUNT
                ? operands.intTarget(0)
                : operands.predicateTarget(operands.at(0));
        return new Barrier(reduction, operands.ints(1), some ? operands.ints(2) : -1, target, predicate.register(),
                predicate.negated());
    }

    /** Does nothing, with whatever modifiers. */
    static Instruction nothing(Opcode opcode, Operands operands) {
        opcode.takeAll();
        return new Nothing();
    }

    /** exit. */
    static Instruction exit(Opcode opcode, Operands operands) {
        return new Branches.Exit();
    }

    /** trap. */
    static Instruction trap(Opcode opcode, Operands operands) {
        return new Branches.Trap();
    }

    private static final class Nothing extends Instruction {
        @Override
        public void execute(Warp warp, int mask) {
            // Nothing to do.
        }
    }
}
