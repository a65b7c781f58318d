package io.mixt5.kernels.emulator.math;

/** A comparison of floating point numbers. The ordered ones are false where one is NaN, the unordered ones true. */
public enum Comparison {
    /** Equal. */
    EQ(0b0010),
    /** Not equal, and none is NaN. */
    NE(0b0101),
    /** Less. */
    LT(0b0001),
    /** Less or equal. */
    LE(0b0011),
    /** Greater. */
    GT(0b0100),
    /** Greater or equal. */
    GE(0b0110),
    /** Equal, or one is NaN. */
    EQU(0b1010),
    /** Not equal, or one is NaN. */
    NEU(0b1101),
    /** Less, or one is NaN. */
    LTU(0b1001),
    /** Less or equal, or one is NaN. */
    LEU(0b1011),
    /** Greater, or one is NaN. */
    GTU(0b1100),
    /** Greater or equal, or one is NaN. */
    GEU(0b1110),
    /** None is NaN. */
    NUM(0b0111),
    /** One is NaN. */
    NAN(0b1000);

    private static final int LESS = 1;
    private static final int EQUAL = 2;
    private static final int GREATER = 4;
    private static final int UNORDERED = 8;

    private final int accepted;

    /** Which of less (bit 0), equal, greater and unordered (bit 3) make it true. */
    Comparison(int accepted) {
        this.accepted = accepted;
    }

    /** The comparison that a modifier such as {@code ltu} names; null for other modifiers. */
    public static Comparison of(String modifier) {
        return switch (modifier) {
            case "eq" -> EQ;
            case "ne" -> NE;
            case "lt" -> LT;
            case "le" -> LE;
            case "gt" -> GT;
            case "ge" -> GE;
            case "equ" -> EQU;
            case "neu" -> NEU;
            case "ltu" -> LTU;
            case "leu" -> LEU;
            case "gtu" -> GTU;
            case "geu" -> GEU;
            case "num" -> NUM;
            case "nan" -> NAN;
            default -> null;
        };
    }

    /** Compares two numbers. All formats' are doubles. */
    public boolean test(double a, double b) {
        int relation = a < b ? LESS : a == b ? EQUAL : a > b ? GREATER : UNORDERED;
        return (accepted & relation) != 0;
    }
}
