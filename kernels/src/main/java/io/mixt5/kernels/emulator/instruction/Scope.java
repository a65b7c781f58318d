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

    private record Declared(String name, int count, int bytes) {
    }

    private final Scope outer;
    private final RegisterFile file;
    private final Map<String, Register> places;
    private final Map<String, Register> registers = new HashMap<>();
    private final Map<String, Symbol> symbols = new HashMap<>();
    private final List<Declared> declared = new ArrayList<>();

    /**
     * Within another.
     *
     * @param outer null for the outermost
     */
    Scope(Scope outer, RegisterFile file) {
        this(outer, file, Map.of());
    }

    /**
     * Within another, with places for its registers.
     *
     * @param places of registers that are going to be declared; those that are missing get their own
     */
    Scope(Scope outer, RegisterFile file, Map<String, Register> places) {
        this.outer = outer;
        this.file = file;
        this.places = places;
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
        declared.add(new Declared(name, count, bytes));
    }

    /** Whether a declaration of {@code count} registers called {@code stem} declares {@code name}. */
    static boolean declares(String stem, int count, String name) {
        if (count < 0) {
            return stem.equals(name);
        }
        int digits = name.length() - stem.length();
        if (digits < 1 || digits > 9 || !name.startsWith(stem)) {
            return false;
        }
        int number = 0;
        for (int i = stem.length(); i < name.length(); i++) {
            int digit = name.charAt(i) - '0';
            if (digit < 0 || digit > 9) {
                return false;
            }
            number = 10 * number + digit;
        }
        return number < count;
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
        for (Declared declaration : declared) {
            if (declares(declaration.name(), declaration.count(), name)) {
                register = places.containsKey(name) ? places.get(name) : file.add(declaration.bytes());
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
