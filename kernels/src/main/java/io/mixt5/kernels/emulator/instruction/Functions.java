package io.mixt5.kernels.emulator.instruction;

/** Functions of one lane's bits that {@link java.util.function} has not. */
final class Functions {
    private Functions() {
    }

    /** Of three 32-bit operands. */
    interface IntTernary {
        int apply(int a, int b, int c);
    }

    /** Of four 32-bit operands. */
    interface IntQuaternary {
        int apply(int a, int b, int c, int d);
    }

    /** Of three 64-bit operands. */
    interface LongTernary {
        long apply(long a, long b, long c);
    }

    /** Of two 32-bit operands, to 64 bits. */
    interface IntsToLong {
        long apply(int a, int b);
    }

    /** Of two 32-bit operands and a 64-bit one. */
    interface IntsAndLong {
        long apply(int a, int b, long c);
    }

    /** Of a 64-bit operand and a 32-bit one. */
    interface LongAndInt {
        long apply(long a, int b);
    }

    /** Of operands of any size, the 32-bit ones widened by zeros; as many as there are, the others being 0. */
    interface Mixed {
        long apply(long a, long b, long c, long d);
    }

    /** A question about two 32-bit operands. */
    interface IntTest {
        boolean test(int a, int b);
    }

    /** A question about two 64-bit operands. */
    interface LongTest {
        boolean test(long a, long b);
    }
}
