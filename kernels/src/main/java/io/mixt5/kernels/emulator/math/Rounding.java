package io.mixt5.kernels.emulator.math;

import java.math.BigDecimal;

/** How a result that a format cannot hold is rounded. */
public enum Rounding {
    /** {@code .rn}, {@code .rni}: to nearest, ties to even. */
    NEAREST,
    /** {@code .rna}: to nearest, ties away from zero. */
    NEAREST_AWAY,
    /** {@code .rz}, {@code .rzi}: towards zero. */
    ZERO,
    /** {@code .rm}, {@code .rmi}: towards minus infinity. */
    DOWN,
    /** {@code .rp}, {@code .rpi}: towards plus infinity. */
    UP;

    /** The rounding that a modifier asks for, {@code rn} or {@code rni} for instance; null for other modifiers. */
    public static Rounding of(String modifier) {
        return switch (modifier) {
            case "rn", "rni" -> NEAREST;
            case "rna" -> NEAREST_AWAY;
            case "rz", "rzi" -> ZERO;
            case "rm", "rmi" -> DOWN;
            case "rp", "rpi" -> UP;
            default -> null;
        };
    }

    /**
     * Rounds {@code magnitude / 2^shift} to an integer.
     *
     * @param magnitude not negative and, for a {@code shift} above 62, below 2^62
     * @param shift not negative, of any size
     * @param negative whether the number is the negative of this; the result never is
     */
    long shift(long magnitude, int shift, boolean negative) {
        if (shift == 0 || magnitude == 0) {
            return magnitude;
        }
        // No significand has more than 62 bits: 63 places leave nothing but a remainder below a half, as more would.
        int places = Math.min(shift, 63);
        long quotient = magnitude >>> places;
        long remainder = magnitude & (1L << places) - 1;
        if (remainder == 0) {
            return quotient;
        }
        long half = 1L << places - 1;
        boolean up = switch (this) {
            case NEAREST -> remainder > half || remainder == half && (quotient & 1) != 0;
            case NEAREST_AWAY -> remainder >= half;
            case ZERO -> false;
            case DOWN -> negative;
            case UP -> !negative;
        };
        return up ? quotient + 1 : quotient;
    }

    /** Whether a magnitude beyond the largest finite one becomes infinite. */
    boolean overflows(boolean negative) {
        return switch (this) {
            case NEAREST, NEAREST_AWAY -> true;
            case ZERO -> false;
            case DOWN -> negative;
            case UP -> !negative;
        };
    }

    /**
     * The double that {@code exact} rounds to.
     *
     * @param nearest the one that it rounds to by {@link #NEAREST}; decides the sign of a zero
     */
    double adjust(double nearest, BigDecimal exact) {
        if (this == NEAREST) {
            return nearest;
        }
        int error = Double.isInfinite(nearest)
                ? nearest > 0 ? -1 : 1
                : exact.compareTo(new BigDecimal(nearest));
        boolean down = this == DOWN || this == ZERO && exact.signum() > 0;
        boolean up = this == UP || this == ZERO && exact.signum() < 0;
        if (error < 0 && down) {
            return Math.nextDown(nearest);
        }
        return error > 0 && up ? Math.nextUp(nearest) : nearest;
    }

    /** A number rounded to an integer, kept as a number: the sign of a zero survives, as do infinities and NaN. */
    public double integral(double value) {
        return switch (this) {
            case NEAREST -> Math.rint(value);
            case NEAREST_AWAY -> Math.copySign(awayFromZero(Math.abs(value)), value);
            case ZERO -> value < 0 ? Math.ceil(value) : Math.floor(value);
            case DOWN -> Math.floor(value);
            case UP -> Math.ceil(value);
        };
    }

    private static double awayFromZero(double magnitude) {
        double floor = Math.floor(magnitude);
        return magnitude - floor >= 0.5 ? floor + 1 : floor;
    }
}
