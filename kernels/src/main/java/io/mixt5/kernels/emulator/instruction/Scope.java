package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.Monitor.Space;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What names mean between two braces: registers and variables. What is not found is looked up further out. */
final class Scope {
    /** A variable's place. */
    record Symbol(Space space, long address) {
    }

    private record Stem(String stem, int count, int bytes) {
    }

    private final Scope outer;
    private final RegisterFile file;
    private final Map<String, Register> registers = new HashMap<>();
    private final Map<String, Symbol> symbols = new HashMap<>();
    private final List<Stem> stems = new ArrayList<>();

    /**
     * Within another.
     *
     * @param outer null for the outermost
     */
    Scope(Scope outer, RegisterFile file) {
        this.outer = outer;
        this.file = file;
    }

    /** The scope further out; null for the outermost. */
    Scope outer() {
        return outer;
    }

    RegisterFile file() {
        return file;
    }

    void declare(String name, Symbol symbol) {
        symbols.put(name, symbol);
    }

    /** Declares a register, or stem0 to stem(count - 1) where count is not -1, of {@code bytes} bytes. */
    void declare(String name, int count, int bytes) {
        if (count < 0) {
            registers.put(name, file.add(bytes));
        } else {
            stems.add(new Stem(name, count, bytes));
        }
    }

    /** The register of that name; null if there is none. */
    Register register(String name) {
        for (Scope scope = this; scope != null; scope = scope.outer) {
            Register register = scope.own(name);
            if (register != null) {
                return register;
            }
        }
        return null;
    }

    private Register own(String name) {
        Register register = registers.get(name);
        if (register != null) {
            return register;
        }
        for (Stem stem : stems) {
            if (name.startsWith(stem.stem()) && name.substring(stem.stem().length()).matches("[0-9]{1,9}")
                    && Integer.parseInt(name.substring(stem.stem().length())) < stem.count()) {
                register = file.add(stem.bytes());
                registers.put(name, register);
                return register;
            }
        }
        return null;
    }

    /** The variable of that name; null if there is none. */
    Symbol symbol(String name) {
        for (Scope scope = this; scope != null; scope = scope.outer) {
            Symbol symbol = scope.symbols.get(name);
            if (symbol != null) {
                return symbol;
            }
        }
        return null;
    }
}
