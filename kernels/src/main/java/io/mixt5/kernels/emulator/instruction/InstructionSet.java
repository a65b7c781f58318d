package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.machine.Instruction;
import java.util.HashMap;
import java.util.Map;

/** All opcodes, by name, except those whose operands are labels, which {@link Assembler} does itself. */
final class InstructionSet {
    private static final Map<String, Family> FAMILIES = new HashMap<>();

    static {
        add(Arithmetic::unary, "neg", "abs", "rcp", "sqrt", "rsqrt", "ex2", "lg2", "sin", "cos", "tanh");
        add(Arithmetic::binary, "add", "sub", "mul", "div", "rem", "min", "max", "copysign");
        add(Arithmetic::multiplyAdd, "fma", "mad");
        add(Carries::decode, "addc", "subc", "madc");
        add(IntegerArithmetic::multiply24, "mul24");
        add(IntegerArithmetic::difference, "sad");
        add(IntegerArithmetic::dotProduct, "dp4a");
        add(Bits::logic, "and", "or", "xor", "not", "cnot");
        add(Bits::lop3, "lop3");
        add(Bits::shift, "shl", "shr");
        add(Bits::funnel, "shf");
        add(Bits::count, "popc", "clz", "brev");
        add(Bits::find, "bfind");
        add(Bits::extract, "bfe");
        add(Bits::insert, "bfi");
        add(Bits::permute, "prmt");
        add(Bits::mask, "bmsk");
        add(Comparisons::setPredicate, "setp");
        add(Comparisons::set, "set");
        add(Comparisons::testProperty, "testp");
        add(Selections::byPredicate, "selp");
        add(Selections::bySign, "slct");
        add(Moves::mov, "mov");
        add(Moves::convertAddress, "cvta");
        add(Moves::isInSpace, "isspacep");
        add(Conversions::decode, "cvt");
        add(LoadsAndStores::load, "ld", "ldu");
        add(LoadsAndStores::store, "st");
        add(Atomics::decode, "atom", "red");
        add(Exchanges::shuffle, "shfl");
        add(Exchanges::vote, "vote");
        add(Exchanges::match, "match");
        add(Exchanges::reduce, "redux");
        add(Exchanges::activeMask, "activemask");
        add(Matrices::load, "ldmatrix");
        add(Matrices::multiply, "mma");
        add(Copying::decode, "cp");
        add(Barriers::decode, "bar", "barrier");
        add(Barriers::nothing, "membar", "fence", "nanosleep", "prefetch", "prefetchu", "discard", "applypriority");
        add(Barriers::exit, "exit");
        add(Barriers::trap, "trap");
    }

    private InstructionSet() {
    }

    private static void add(Family family, String... names) {
        for (String name : names) {
            FAMILIES.put(name, family);
        }
    }

    static Instruction decode(Opcode opcode, Operands operands) {
        Family family = FAMILIES.get(opcode.name());
        if (family == null) {
            throw opcode.error("the emulator does not know this instruction");
        }
        return family.decode(opcode, operands);
    }

    /** Whether blocks could tell each other something by it, so that it matters in which order they run. */
    static boolean communicates(String opcode) {
        boolean shared = opcode.contains(".shared");
        return (opcode.startsWith("atom.") || opcode.startsWith("red.")) && !shared
                || opcode.startsWith("membar.gl") || opcode.startsWith("membar.sys") || opcode.startsWith("fence.")
                || opcode.startsWith("ld.") && !shared
                        && (opcode.contains(".volatile") || opcode.contains(".acquire") || opcode.contains(".relaxed"));
    }
}
