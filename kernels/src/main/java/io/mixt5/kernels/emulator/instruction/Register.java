package io.mixt5.kernels.emulator.instruction;

/**
 * A register.
 *
 * @param kind which of a warp's arrays it lives in
 * @param index there
 * @param bits it has; 1 for a predicate
 */
record Register(Kind kind, int index, int bits) {
    /** A warp's arrays of registers. */
    enum Kind {
        INT, LONG, PREDICATE;

        /** Where values of a type of {@code bytes} bytes live, 0 for predicates. */
        static Kind of(int bytes) {
            return bytes == 0 ? PREDICATE : bytes == 8 ? LONG : INT;
        }
    }
}
