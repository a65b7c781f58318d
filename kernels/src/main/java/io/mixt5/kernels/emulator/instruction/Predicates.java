package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.machine.Instruction;
import io.mixt5.kernels.emulator.machine.Warp;
import java.util.function.IntBinaryOperator;

/** Logic of predicates, all lanes of which are one int. */
final class Predicates {
    private Predicates() {
    }

    /** and, or, xor, not and mov of predicates. */
    static Instruction logic(Opcode opcode, Operands operands) {
        opcode.take("pred");
        int target = operands.predicateTarget(operands.at(0));
        Operands.Predicate a = operands.predicate(1);
        boolean unary = opcode.name().equals("not") || opcode.name().equals("mov");
        Operands.Predicate b = unary ? a : operands.predicate(2);
        return new Logic(target, a, b, function(opcode, opcode.name()));
    }

    /** What a name such as {@code and} does to masks. */
    static IntBinaryOperator function(Opcode opcode, String name) {
        return switch (name) {
            case "and" -> (a, b) -> a & b;
            case "or" -> (a, b) -> a | b;
            case "xor" -> (a, b) -> a ^ b;
            case "not" -> (a, b) -> ~a;
            case "mov" -> (a, b) -> a;
            default -> throw opcode.error("predicates know no " + name);
        };
    }

    private static final class Logic extends Instruction {
        private final int target;
        private final int a;
        private final int b;
        private final int flipA;
        private final int flipB;
        private final IntBinaryOperator function;

        Logic(int target, Operands.Predicate a, Operands.Predicate b, IntBinaryOperator function) {
            this.target = target;
            this.a = a.register();
            this.b = b.register();
            this.flipA = a.negated() ? -1 : 0;
            this.flipB = b.negated() ? -1 : 0;
            this.function = function;
        }

        @Override
        public void execute(Warp warp, int mask) {
            warp.setPredicate(target, mask,
                    function.applyAsInt(warp.predicates[a] ^ flipA, warp.predicates[b] ^ flipB));
        }
    }
}
