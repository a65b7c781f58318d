package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.machine.SpecialRegister;
import io.mixt5.kernels.emulator.ptx.PtxOperand;
import io.mixt5.kernels.emulator.ptx.PtxOperand.Immediate;
import java.util.List;

/** The operands of an instruction, resolved to indices of registers. */
final class Operands {
    /** What a predicate operand reads: a register, perhaps negated. */
    record Predicate(int register, boolean negated) {
    }

    private final Opcode opcode;
    private final List<PtxOperand> operands;
    private final Scope scope;

    Operands(Opcode opcode, List<PtxOperand> operands, Scope scope) {
        this.opcode = opcode;
        this.operands = operands;
        this.scope = scope;
    }

    int count() {
        return operands.size();
    }

    /** Operand i as written, from 0. */
    PtxOperand at(int i) {
        if (i >= operands.size()) {
            throw opcode.error("operand " + (i + 1) + " is missing");
        }
        return operands.get(i);
    }

    /** Checks that there are no more operands than these. */
    void requireCount(int count) {
        if (operands.size() != count) {
            throw opcode.error(count + " operands expected, not " + operands.size());
        }
    }

    /** The elements of operand i, or just itself where it is no vector. */
    List<PtxOperand> elements(int i) {
        return at(i) instanceof PtxOperand.Vector vector ? vector.elements() : List.of(at(i));
    }

    /** The variable that a name means; null where it means none. */
    Scope.Symbol symbol(String name) {
        return scope.symbol(name);
    }

    /** The register of operand i as declared; null for what is none. */
    Register register(PtxOperand operand) {
        return operand instanceof PtxOperand.Name name ? scope.register(name.text()) : null;
    }

    /** A 32-bit operand that is read. */
    int ints(int i) {
        return ints(at(i));
    }

    /** A 32-bit operand that is read. */
    int ints(PtxOperand operand) {
        return switch (operand) {
            case Immediate immediate -> scope.file().constant(immediate.form() == Immediate.Form.DOUBLE
                    ? Float.floatToRawIntBits((float) Double.longBitsToDouble(immediate.bits()))
                    : (int) immediate.bits());
            case PtxOperand.Name name when register(name) != null -> requireKind(name, Register.Kind.INT);
            case PtxOperand.Name name when SpecialRegister.of(name.text()) != null -> scope.file()
                    .special(SpecialRegister.of(name.text()));
            default -> scope.file().constant((int) address(operand));
        };
    }

    /** A 64-bit operand that is read. */
    int longs(int i) {
        return longs(at(i));
    }

    /** A 64-bit operand that is read. */
    int longs(PtxOperand operand) {
        return switch (operand) {
            case Immediate immediate -> scope.file().constant(immediate.bits());
            case PtxOperand.Name name when register(name) != null -> requireKind(name, Register.Kind.LONG);
            default -> scope.file().constant(address(operand));
        };
    }

    /** A predicate that is read. */
    Predicate predicate(int i) {
        return predicate(at(i));
    }

    /** A predicate that is read. */
    Predicate predicate(PtxOperand operand) {
        return switch (operand) {
            case PtxOperand.Not not -> new Predicate(requireKind(not.operand(), Register.Kind.PREDICATE), true);
            case Immediate immediate -> new Predicate(scope.file().truth(), immediate.bits() == 0);
            case PtxOperand.Name name -> new Predicate(requireKind(name, Register.Kind.PREDICATE), false);
            default -> throw opcode.error(operand + " is no predicate");
        };
    }

    /** A 32-bit register that is written. */
    int intTarget(PtxOperand operand) {
        return isSink(operand) ? scope.file().add(4).index() : requireKind(operand, Register.Kind.INT);
    }

    /** A 32-bit register that is written. */
    int intTarget(int i) {
        return intTarget(at(i));
    }

    /** A 64-bit register that is written. */
    int longTarget(PtxOperand operand) {
        return isSink(operand) ? scope.file().add(8).index() : requireKind(operand, Register.Kind.LONG);
    }

    /** A 64-bit register that is written. */
    int longTarget(int i) {
        return longTarget(at(i));
    }

    /** A predicate that is written. */
    int predicateTarget(PtxOperand operand) {
        return isSink(operand) ? scope.file().add(0).index() : requireKind(operand, Register.Kind.PREDICATE);
    }

    /** The register that holds a constant. */
    int constant(int value) {
        return scope.file().constant(value);
    }

    /** The register that holds a constant. */
    int constant(long value) {
        return scope.file().constant(value);
    }

    /** An operand that must be a number, known when the module is loaded. */
    int number(int i) {
        if (at(i) instanceof Immediate immediate && immediate.form() == Immediate.Form.INTEGER) {
            return (int) immediate.bits();
        }
        throw opcode.error("operand " + (i + 1) + " must be an integer, not " + at(i));
    }

    /** {@code _}: a result that nobody wants. */
    static boolean isSink(PtxOperand operand) {
        return operand instanceof PtxOperand.Name name && name.text().equals("_");
    }

    private int requireKind(PtxOperand operand, Register.Kind kind) {
        Register register = register(operand);
        if (register == null) {
            throw opcode.error(operand + " is no register");
        }
        if (register.kind() != kind) {
            throw opcode.error(operand + " has " + register.bits() + " bits, which do not fit this instruction");
        }
        return register.index();
    }

    private long address(PtxOperand operand) {
        long offset = 0;
        PtxOperand base = operand;
        if (operand instanceof PtxOperand.Address address) {
            offset = address.offset();
            base = address.base();
        }
        if (base instanceof PtxOperand.Name name && scope.symbol(name.text()) != null) {
            return scope.symbol(name.text()).address() + offset;
        }
        throw opcode.error("nothing is called " + operand);
    }
}
