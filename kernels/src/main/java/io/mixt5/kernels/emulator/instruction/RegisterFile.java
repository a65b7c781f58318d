package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.machine.Program;
import io.mixt5.kernels.emulator.machine.SpecialRegister;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Hands out a kernel's registers, and those that hold constants and special registers. */
final class RegisterFile {
    private final Map<Integer, Integer> ints = new HashMap<>();
    private final Map<Long, Integer> longs = new HashMap<>();
    private final Map<SpecialRegister, Integer> specials = new EnumMap<>(SpecialRegister.class);
    private int intCount;
    private int longCount;
    private int predicateCount = 1;

    /** A new register for values of a type of {@code bytes} bytes, 0 for predicates. */
    Register add(int bytes) {
        return switch (Register.Kind.of(bytes)) {
            case PREDICATE -> new Register(Register.Kind.PREDICATE, predicateCount++, 1);
            case LONG -> new Register(Register.Kind.LONG, longCount++, 64);
            case INT -> new Register(Register.Kind.INT, intCount++, 8 * bytes);
        };
    }

    /** The 32-bit register that holds a constant. */
    int constant(int bits) {
        return ints.computeIfAbsent(bits, absent -> intCount++);
    }

    /** The 64-bit register that holds a constant. */
    int constant(long bits) {
        return longs.computeIfAbsent(bits, absent -> longCount++);
    }

    /** The predicate that is always true. */
    int truth() {
        return 0;
    }

    /** The 32-bit register that holds a special one. */
    int special(SpecialRegister special) {
        return specials.computeIfAbsent(special, absent -> intCount++);
    }

    int ints() {
        return intCount;
    }

    int longs() {
        return longCount;
    }

    int predicates() {
        return predicateCount;
    }

    List<Program.Constant> intConstants() {
        List<Program.Constant> constants = new ArrayList<>();
        ints.forEach((bits, register) -> constants.add(new Program.Constant(register, bits)));
        return constants;
    }

    List<Program.Constant> longConstants() {
        List<Program.Constant> constants = new ArrayList<>();
        longs.forEach((bits, register) -> constants.add(new Program.Constant(register, bits)));
        return constants;
    }

    List<Program.Constant> predicateConstants() {
        return List.of(new Program.Constant(truth(), -1));
    }

    List<Program.Special> specials() {
        List<Program.Special> list = new ArrayList<>();
        specials.forEach((special, register) -> list.add(new Program.Special(register, special)));
        return list;
    }
}
