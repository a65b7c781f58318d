package io.mixt5.kernels.emulator.ptx;

import java.util.List;

/** A statement of a function's body. */
public sealed interface PtxStatement {
    /** The line it begins on. */
    int line();

    /**
     * Declares registers.
     *
     * @param type such as {@code b32} or {@code pred}
     * @param name the name, or where count is not -1 the stem of names
     * @param count n declares stem0 to stem(n - 1); -1 declares just the name
     */
    record Registers(int line, String type, String name, int count) implements PtxStatement {
    }

    /** Declares a variable in shared, local or parameter memory. */
    record Declaration(int line, PtxVariable variable) implements PtxStatement {
    }

    /** A place to branch to. */
    record Label(int line, String name) implements PtxStatement {
    }

    /** The targets of an indexed branch. */
    record Targets(int line, String name, List<String> labels) implements PtxStatement {
    }

    /** Statements with a scope of their own. */
    record Scope(int line, List<PtxStatement> statements) implements PtxStatement {
    }

    /**
     * An instruction.
     *
     * @param guard the predicate that decides which lanes execute it; null for all
     * @param negated whether the lanes are those whose predicate is false
     * @param opcode with all its modifiers, such as {@code add.rn.f32}
     */
    record Instruction(int line, String guard, boolean negated, String opcode, List<PtxOperand> operands)
            implements
                PtxStatement {
    }
}
