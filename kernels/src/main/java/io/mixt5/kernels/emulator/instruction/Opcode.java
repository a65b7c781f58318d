package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.math.Rounding;
import io.mixt5.kernels.emulator.ptx.PtxException;
import io.mixt5.kernels.emulator.ptx.PtxType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** An opcode's name and its modifiers. Whoever decodes takes the modifiers it understands; what is left is an error. */
final class Opcode {
    private final String module;
    private final int line;
    private final String text;
    private final String name;
    private final List<String> modifiers;

    Opcode(String module, int line, String text) {
        this.module = module;
        this.line = line;
        this.text = text;
        List<String> words = new ArrayList<>(Arrays.asList(text.split("\\.")));
        name = words.remove(0);
        modifiers = words;
    }

    /** The whole opcode. */
    String text() {
        return text;
    }

    /** The line of PTX. */
    int line() {
        return line;
    }

    /** What stands before the first point. */
    String name() {
        return name;
    }

    /** Whether a modifier is there and not taken yet. */
    boolean has(String modifier) {
        return modifiers.contains(modifier);
    }

    /** Takes a modifier; false if it is not there. */
    boolean take(String modifier) {
        return modifiers.remove(modifier);
    }

    /** Takes the first of these modifiers that is there; null if none is. */
    String takeOne(String... options) {
        for (String option : options) {
            if (modifiers.remove(option)) {
                return option;
            }
        }
        return null;
    }

    /** Takes whatever modifiers of these are there: they make no difference here. */
    void ignore(String... options) {
        modifiers.removeAll(Arrays.asList(options));
    }

    /** Takes all modifiers that begin so: they make no difference here. */
    void ignorePrefix(String prefix) {
        modifiers.removeIf(modifier -> modifier.startsWith(prefix));
    }

    /** Takes all modifiers: somebody else has understood the opcode. */
    void takeAll() {
        modifiers.clear();
    }

    /** Takes the next modifier, whatever it is. */
    String next() {
        if (modifiers.isEmpty()) {
            throw error("a modifier is missing");
        }
        return modifiers.remove(0);
    }

    /** Takes the first modifier that is a type. */
    String type() {
        for (int i = 0; i < modifiers.size(); i++) {
            if (PtxType.bytes(modifiers.get(i)) >= 0) {
                return modifiers.remove(i);
            }
        }
        throw error("a type is missing");
    }

    /** Takes the rounding; {@code usual} where none is given. */
    Rounding rounding(Rounding usual) {
        for (int i = 0; i < modifiers.size(); i++) {
            Rounding rounding = Rounding.of(modifiers.get(i));
            if (rounding != null) {
                modifiers.remove(i);
                return rounding;
            }
        }
        return usual;
    }

    /** Checks that every modifier was taken. */
    void requireNoneLeft() {
        if (!modifiers.isEmpty()) {
            throw error("the emulator does not know its modifiers ." + String.join(", .", modifiers));
        }
    }

    /** That the emulator does not know this type. */
    PtxException unknownType(String type) {
        return error("the emulator does not know it with type ." + type);
    }

    PtxException error(String message) {
        return new PtxException(module, line, text + ": " + message);
    }
}
