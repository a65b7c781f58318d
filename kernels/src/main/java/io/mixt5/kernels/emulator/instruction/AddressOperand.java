package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.Monitor.Space;
import io.mixt5.kernels.emulator.machine.Warp;
import io.mixt5.kernels.emulator.ptx.PtxOperand;

/**
 * An address in brackets: a register plus a number.
 *
 * @param space it lies in; null for generic ones
 * @param wide whether the register has 64 bits
 * @param register that holds the base
 * @param fixed whether the base is a constant
 * @param offset what is added to the base; the address itself where it is fixed
 */
record AddressOperand(Space space, boolean wide, int register, boolean fixed, long offset) {
    /**
     * Decodes one.
     *
     * @param space that the opcode names; null for none
     */
    static AddressOperand of(Opcode opcode, Operands operands, int i, Space space) {
        if (!(operands.at(i) instanceof PtxOperand.Address address)) {
            throw opcode.error("operand " + (i + 1) + " must be an address, not " + operands.at(i));
        }
        PtxOperand.Name base = address.base();
        if (base == null) {
            return new AddressOperand(space, true, operands.constant(0L), true, address.offset());
        }
        Register register = operands.register(base);
        if (register != null) {
            boolean wide = register.kind() == Register.Kind.LONG;
            return new AddressOperand(space, wide, wide ? operands.longs(base) : operands.ints(base), false,
                    address.offset());
        }
        Scope.Symbol symbol = operands.symbol(base.text());
        if (symbol == null) {
            throw opcode.error("nothing is called " + base);
        }
        // A call's parameters lie in local memory; and a variable's own space is known where the opcode has none.
        Space own = space == null || space == Space.PARAMETER ? symbol.space() : space;
        return new AddressOperand(own, true, operands.constant(0L), true, symbol.address() + address.offset());
    }

    /** Has the warp's memory compute the addresses. */
    void compute(Warp warp) {
        if (wide) {
            warp.memory.address(warp.longs[register], offset);
        } else {
            warp.memory.address(warp.ints[register], offset);
        }
    }

    /** Takes the space that an opcode names; null for none. */
    static Space space(Opcode opcode) {
        String name = opcode.takeOne("global", "shared", "shared::cta", "local", "const", "param", "param::entry",
                "param::func");
        return name == null ? null : switch (name) {
            case "global" -> Space.GLOBAL;
            case "local" -> Space.LOCAL;
            case "const" -> Space.CONSTANT;
            case "shared", "shared::cta" -> Space.SHARED;
            default -> Space.PARAMETER;
        };
    }

    /** Takes modifiers about caches and the order of memory: the emulator's memory has no caches and one order. */
    static void ignoreCaches(Opcode opcode) {
        opcode.ignore("weak", "volatile", "relaxed", "acquire", "release", "acq_rel", "mmio", "cta", "cluster", "gpu",
                "sys", "ca", "cg", "cs", "lu", "cv", "wb", "wt", "nc", "unified");
        opcode.ignorePrefix("L1::");
        opcode.ignorePrefix("L2::");
    }
}
